package storetest

import (
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/deployment"
)

// setupLines come after the line that founds the deployment: there is one row.
var setupLines = []line{
	{deployment.Administered{}, func(world) steps {
		return steps{
			unit: core.Unit{deployment.Administered{}},
			read: func(v core.View) any { return v.Deployment() },
			want: deployment.Deployment{Issuer: "https://auth.example.com", Mode: "production", Created: at, AdminEver: true},
			lost: []core.Unit{{deployment.Administered{}}}, // there was one already
		}
	}},
}
