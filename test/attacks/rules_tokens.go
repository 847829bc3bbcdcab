package attacks

// signedTokens is RFC 8725 with its successor, and RFC 9068.
var signedTokens = Checklist{"Signed tokens", []Rule{
	{ID: "JW-01", Says: "Which algorithms are good follows from issuer and key; a key has one.", Source: "RFC 8725 section 3.1; ASVS 9.1.2", Tests: []string{"internal/base/jose.TestTokensOfOthers", "internal/base/jose.TestAKeyIsForWhatItSays", "internal/base/jose.TestJWT02PublicKeyIsNoSecret", "test/http.TestForgedTokensAreRefused"}},
	{ID: "JW-02", Says: "none is neither accepted nor made.", Source: "RFC 8725 section 3.2", Tests: []string{"internal/base/jose.TestTokensOfOthers", "internal/core/client.TestAnswersThatAnApplicationMayHave", "internal/base/jose.TestJWT01NoneIsNoAlgorithm", "test/http.TestForgedTokensAreRefused"}},
	{ID: "JW-03", Says: "Signed, encrypted and nested tokens are told apart, and every layer is verified.", Source: "RFC 8725 section 3.3", Tests: []string{"internal/base/jose.TestNestedTokens", "test/conformance.TestEncryptedRequests", "test/conformance.TestAnswersAsTheApplicationAsks", "test/http.TestIntrospectionIsSignedWhereAskedFor"}},
	{ID: "JW-04", Says: "Points lie on their curve.", Source: "RFC 8725 section 3.4", Tests: []string{"internal/base/jose.TestKeysOfOthersThatAreRefused", "internal/base/jose.TestEncryptedTokensThatAreRefused", "internal/base/jose.TestWycheproofKeys", "internal/base/jose.TestWycheproofEncryption"}},
	{ID: "JW-05", Says: "Shared secrets have 256 random bits or more.", Source: "RFC 8725 section 3.5", Tests: []string{"internal/base/jose.TestSharedSecretsAreLong", "internal/core/exchange.TestWhatIsNotShared", "internal/core/exchange.TestASharedSecretIsForOneService", "test/http.TestASecretIsShared", "sdk.TestSharedSecretsThatAreRefused"}},
	{ID: "JW-06", Says: "Nothing encrypted is compressed or inflated.", Source: "RFC 8725 section 3.6", Tests: []string{"internal/base/jose.TestEncryptedTokensThatAreRefused", "internal/base/jose.TestNestedTokens", "test/http.TestForgedTokensAreRefused"}},
	{ID: "JW-07", Says: "Headers and claims are UTF-8; a member twice, or in other letters, is refused.", Source: "RFC 8725 section 3.7; ASVS 1.5.3", Tests: []string{"internal/base/jose.TestHeaderThatCouldBeReadTwoWays", "internal/base/jose.TestKeysOfOthersThatAreRefused", "internal/core/token.TestClaimsThatAreNotWholeNumbersAreRefused", "sdk.TestStrictJSON"}},
	{ID: "JW-08", Says: "The key is the issuer's, and the issuer is exact.", Source: "RFC 8725 section 3.8; ASVS 9.1.3", Tests: []string{"internal/core/exchange.TestAccessTokens", "sdk.TestIssuer", "internal/base/jose.TestTokensOfOthers"}},
	{ID: "JW-09", Says: "There is an audience, and it is ours.", Source: "RFC 8725 section 3.9; ASVS 9.2.3", Tests: []string{"internal/core/exchange.TestAccessTokens", "sdk.TestAudience"}},
	{ID: "JW-10", Says: "What a header or claim says reaches no query, file or address.", Source: "RFC 8725 section 3.10", Tests: []string{"internal/base/jose.TestTokensOfOthers", "internal/core/exchange.TestWhatASharedSecretCannotSay", "internal/base/jose.TestJWT05KIDIsOnlyLookedUp", "test/http.TestForgedTokensAreRefused"}},
	{ID: "JW-11", Says: "Every kind of token has its own typ.", Source: "RFC 8725 section 3.11; ASVS 9.2.2", Tests: []string{"test/http.TestIntrospectionIsSignedWhereAskedFor", "internal/base/jose.TestProofsOfPossession", "internal/base/jose.TestJWT16TypIsExact"}},
	{ID: "JW-12", Says: "No kind of token passes for another.", Source: "RFC 8725 section 3.12", Tests: []string{"test/conformance.TestNothingStandsForAnotherThing", "test/conformance.TestAnswersAsTheApplicationAsks", "test/http.TestIntrospectionIsSignedWhereAskedFor"}},
	{ID: "JW-13", Says: "No key is made of a password.", Source: "RFC 8725 section 3.13", Tests: []string{"internal/base/jose.TestEncryptedTokensThatAreRefused", "internal/core/client.TestAnswersThatAnApplicationMayHave", "test/http.TestForgedTokensAreRefused"}},
	{ID: "JW-14", Says: "Only the compact form is read.", Source: "RFC 8725 section 3.14", Tests: []string{"internal/base/jose.TestEncryptedTokensThatAreRefused", "internal/base/jose.TestJWT10FormIsCheckedFirst"}},
	{ID: "JW-15", Says: "Algorithms are named so that nothing is left open.", Source: "RFC 9864", Tests: []string{"internal/base/jose.TestTokensOfOthers"}},
	{ID: "JW-16", Says: "An access token has iss, exp, aud, sub, client_id, iat and jti, and the typ at+jwt.", Source: "RFC 9068 sections 2.1 and 2.2", Tests: []string{"internal/core/exchange.TestClientCredentials", "test/clients/node/oauth4webapi.mjs: asks in its own name"}},
	{ID: "JW-17", Says: "auth_time, acr and amr are those of the session that allowed it.", Source: "RFC 9068 section 2.2.1", Tests: []string{"test/conformance.TestAnswersAsTheApplicationAsks", "test/http.TestAccessTokenIsLeanAndSigned"}},
	{ID: "JW-18", Says: "The audience follows from resource, or from the registration.", Source: "RFC 9068 section 3", Tests: []string{"internal/core/exchange.TestClientCredentials", "internal/core/exchange.TestResourcesNarrow"}},
	{ID: "JW-19", Says: "The SDK judges typ, issuer, audience, algorithm, time and signature; an unknown key is looked for once.", Source: "RFC 9068 section 4", Tests: []string{"sdk.TestType", "sdk.TestAudience", "sdk.TestTimes", "sdk.TestSignature", "sdk.TestHostileKeyIDs"}},
	{ID: "JW-20", Says: "The sub of an application's own token is the application, and can be no person's.", Source: "RFC 9068 section 5", Tests: []string{"test/clients/node/oauth4webapi.mjs: asks in its own name"}},
	{ID: "JW-21", Says: "Times are judged, with a minute of leeway at most.", Source: "ASVS 9.2.1", Tests: []string{"internal/core/token.TestClaimsThatAreNotWholeNumbersAreRefused", "sdk.TestTimes"}},
	{ID: "JW-22", Says: "Access tokens hold no name or address.", Source: "RFC 9068 section 6", Tests: []string{"test/http.TestAccessTokenIsLeanAndSigned"}},
}}

// openID is OpenID Connect Core with its logouts.
var openID = Checklist{"OpenID Connect", []Rule{
	{ID: "OI-01", Says: "prompt=none shows nothing; the application is told what would have been needed.", Source: "Core sections 3.1.2.1 and 3.1.2.6", Tests: []string{"test/conformance.TestBasicPrompts"}},
	{ID: "OI-02", Says: "prompt=login and max_age ask for proof anew, and auth_time says when.", Source: "Core sections 2 and 3.1.2.1", Tests: []string{"test/conformance.TestBasicPrompts", "internal/edge/web.TestHowOldAProofMayBe"}},
	{ID: "OI-03", Says: "Unknown parameters mean nothing.", Source: "Core section 3.1.2.1", Tests: []string{"test/conformance.TestBasicScopesAndClaims"}},
	{ID: "OI-04", Says: "The nonce comes back as it was sent.", Source: "Core section 2", Tests: []string{"test/conformance.TestBasicTokens"}},
	{ID: "OI-05", Says: "An ID token is for the application that asked.", Source: "Core sections 2 and 3.1.3.7", Tests: []string{"test/conformance.TestAnswersAsTheApplicationAsks", "test/conformance.TestBasicTokens"}},
	{ID: "OI-06", Says: "sub is stable, short, never another's; pairwise where that is set.", Source: "Core sections 2 and 8", Tests: []string{"test/conformance.TestBasicPrompts", "test/conformance.TestBasicCodes"}},
	{ID: "OI-07", Says: "at_hash is right.", Source: "Core section 3.1.3.6", Tests: []string{"test/conformance.TestAnswersAsTheApplicationAsks", "test/clients.TestGoOIDCSignsIn", "test/conformance.TestBasicTokens"}},
	{ID: "OI-08", Says: "Userinfo is read by GET and POST with a header, and is of the person of the ID token.", Source: "Core section 5.3", Tests: []string{"test/conformance.TestAnswersAsTheApplicationAsks", "test/conformance.TestBasicTokens"}},
	{ID: "OI-09", Says: "An essential acr that is not reached is an error.", Source: "Core section 5.5.1.1", Tests: []string{"internal/edge/web.TestLevelsOfProof"}},
	{ID: "OI-10", Says: "A hint at another person is login_required.", Source: "Core section 3.1.2.1", Tests: []string{"test/conformance.TestBasicPrompts", "internal/edge/web.TestTheApplicationMeansSomebody"}},
	{ID: "OI-11", Says: "A request object is signed, its parameters count, and it is of the application that sends it.", Source: "Core section 6; RFC 9101", Tests: []string{"test/conformance.TestFAPISignedRequests", "internal/core/exchange.TestSignedRequests"}},
	{ID: "OI-12", Says: "The issuer is the same, byte for byte, in metadata and tokens.", Source: "Discovery sections 3 and 4.3", Tests: []string{"test/conformance.TestDiscovery", "test/clients.TestGoOIDCSignsIn"}},
	{ID: "OI-13", Says: "A key that signs no more is published as long as what it signed lives.", Source: "Core section 10.1.1", Tests: []string{"test/conformance.TestKeysRotate"}},
	{ID: "OI-14", Says: "offline_access is given by consent alone.", Source: "Core section 11", Tests: []string{"internal/core/exchange.TestWhatWasAllowedIsGiven"}},
	{ID: "OI-15", Says: "A refreshed ID token is of the same person, sign-in and application.", Source: "Core section 12.2", Tests: []string{"test/conformance.TestAnswersAsTheApplicationAsks", "test/conformance.TestBasicCodes"}},
	{ID: "OI-16", Says: "After a logout the browser goes to a registered address, exactly; without a good hint the person is asked.", Source: "RP-Initiated Logout sections 2 and 3", Tests: []string{"test/conformance.TestLogoutByTheApplication"}},
	{ID: "OI-17", Says: "Logout tokens are of their kind, short-lived, and sent again until they arrive.", Source: "Back-Channel Logout section 2.4; ASVS 10.5.5", Tests: []string{"test/conformance.TestLogoutBehindTheBrowser"}},
	{ID: "OI-18", Says: "As a client of others: the whole list of checks of an ID token.", Source: "Core section 3.1.3.7; ASVS 10.5.1 to 10.5.4", Why: noProviders},
	{ID: "OI-19", Says: "No address is called verified that is not.", Source: "Core section 5.1", Tests: []string{"test/conformance.TestAnswersAsTheApplicationAsks"}},
	{ID: "OI-20", Says: "Errors have registered codes, and say nothing of who has an account.", Source: "Core section 3.1.2.6", Tests: []string{"test/conformance.TestBasicPrompts", "test/http.TestWhoHasAnAccountIsNotTold", "internal/edge/web.TestParametersOfARequest"}},
}}

// devices is the device flow, service accounts and token exchange.
var devices = Checklist{"Devices, machines and token exchange", []Rule{
	{ID: "DV-01", Says: "A user code has eight letters of twenty, ten minutes, and five wrong tries.", Source: "RFC 8628 sections 5.1 and 6.1", Tests: []string{"internal/core/exchange.TestADeviceIsAllowed", "internal/core/exchange.TestUserCodesAreNotGuessed_OAU24"}},
	{ID: "DV-02", Says: "A device code has 256 bits, one application, and buys once.", Source: "RFC 8628 section 5.2", Tests: []string{"internal/core/exchange.TestADeviceIsAllowed", "internal/core/exchange.TestADeviceCodeIsRedeemedOnce"}},
	{ID: "DV-03", Says: "Who asks too often is told to slow down.", Source: "RFC 8628 section 3.5", Tests: []string{"internal/core/exchange.TestADeviceWaitsAsItIsTold_OAU24"}},
	{ID: "DV-04", Says: "The page shows the code, the application, and where it was asked from; nothing is allowed without a press of the button.", Source: "RFC 8628 section 5.4",
		Tests: []string{"internal/edge/web.TestADeviceIsComparedAndAllowed", "internal/edge/web.TestADeviceIsDenied"}},
	{ID: "DV-05", Says: "Only applications that are registered for it have the device flow.", Source: "MFA and phishing cases", Tests: []string{"internal/core/exchange.TestADeviceWaitsAsItIsTold_OAU24", "internal/core/exchange.TestADeviceCostsAProof_OAU23"}},
	{ID: "DV-06", Says: "Client credentials give no refresh token and no person.", Source: "OAuth 2.1 section 4.2", Tests: []string{"internal/core/exchange.TestClientCredentials", "test/clients/node/openid-client.mjs: asks in its own name"}},
	{ID: "DV-07", Says: "Token exchange narrows, ends with its subject, and chains three actors at most.", Source: "RFC 8693; OAU-21", Tests: []string{"internal/core/exchange.TestTokensAreTradedDown_OAU21", "internal/core/exchange.TestTokensAreNotTradedUp_OAU21"}},
}}
