// Package sdkjs holds the browser SDK, so that the server can serve the same
// file that the npm package ships.
package sdkjs

import _ "embed"

// Source is the module doorward.js, in UTF-8.
//
//go:embed doorward.js
var Source []byte
