// Package attacks is the list of what broke others in this field, by id, and
// of the tests that show what Doorward answers. The handbook's page is made
// from it.
package attacks

// A Row is one attack: what is tried, in a sentence, and the tests that try
// it. A row without tests says why there can be none yet.
type Row struct {
	ID    string
	Tries string
	Tests []string // "directory.TestName"; each of them names the id
	Later string
}

// A Section is the attacks on one thing.
type Section struct {
	Name string
	Rows []Row
}

// Why a row has no test yet: the part of the server that it attacks is not
// there, so there is nothing to attack.
const (
	noProviders  = "There is no sign-in by another provider."
	noFactors    = "There is no second factor."
	noTokenPoint = "There is no token endpoint: nothing is redeemed by an application."
	noHooks      = "There are no hooks."
	noOrgs       = "There are no organizations."
	noRelations  = "There are no relations."
	noSCIM       = "There is no provisioning by SCIM."
	noLDAP       = "There is no directory to ask."
	noTLS        = "TLS ends in front of the server."
)

// Table is every attack of the sections that touch what there is.
var Table = []Section{
	{"Recovery and e-mail", []Row{
		{ID: "REC-01", Tries: "An address sent twice, or as a list, to have the link mailed to a second mailbox too.",
			Tests: []string{"test/http.TestRecoveryMailsTheAccountAlone", "internal/core/exchange.TestRecoveryTakesOneAddress", "internal/edge/web.TestWhatRecoveryDoesNotRead", "test/http.TestHostileBodiesAreRefused"}},
		{ID: "REC-02", Tries: "The last step of a recovery without the proof of the mailbox.",
			Tests: []string{"test/http.TestRecoveryHasItsSteps", "internal/core/exchange.TestNoPasswordIsChosenWithoutTheMailbox", "internal/edge/web.TestTheLastStepOfARecoveryAlone"}},
		{ID: "REC-03", Tries: "Another name in Host or a forwarding header, so that links lead to somebody else.",
			Tests: []string{"test/http.TestRecoveryMailsTheAccountAlone", "internal/edge/web.TestOneHost", "internal/edge/web.TestWhatRecoveryDoesNotRead", "test/http.TestSpoiledRequestsAreRefused"}},
		{ID: "REC-06", Tries: "Two addresses in one, taken for one person.",
			Tests: []string{"test/http.TestRecoveryMailsTheAccountAlone", "internal/core/identity.TestCanonicalHasOneKeyPerPerson", "internal/core/exchange.TestRecoveryTakesOneAddress", "internal/core/exchange.TestSignUpTakesOneAddress", "test/http.TestAnAddressHasOnePerson"}},
		{ID: "REC-07", Tries: "A letter that becomes another person's when it is made small.",
			Tests: []string{"test/http.TestRecoveryMailsTheAccountAlone", "internal/core/identity.TestCanonicalHasOneKeyPerPerson", "internal/core/exchange.TestRecoveryAnswersAlike", "test/http.TestAnAddressHasOnePerson"}},
		{ID: "REC-08", Tries: "An older recovery link after a newer one, or after what it was for has changed.", Tests: []string{"test/http.TestRecoveryHasItsSteps", "internal/core/exchange.TestOnlyTheNewestRecoveryWorks"}},
		{ID: "REC-09", Tries: "A thousand guesses of a mailed code at the same moment.", Tests: []string{"internal/core/exchange.TestAThousandGuessesOfACode", "internal/core/exchange.TestGuessesOfACodeAreCounted"}},
		{ID: "REC-10", Tries: "Recovery as a way around the second factor.", Later: noFactors},
		{ID: "REC-11", Tries: "An address to go on to, to which a token is attached.", Tests: []string{"test/http.TestRecoveryLeadsNowhereElse", "internal/edge/web.TestWhatRecoveryDoesNotRead", "test/http.TestReturnsStayHere"}},
		{ID: "REC-12", Tries: "Reading tokens from addresses, logs and referrers.", Tests: []string{"test/http.TestRecoveryLeadsNowhereElse", "internal/edge/web.TestTheLinkOfARecovery", "test/http.TestNoAddressHoldsASecret"}},
		{ID: "REC-14", Tries: "A lesser administrator who resets a greater one's password.", Later: "Administration is by whoever has the host; there are no ranks."},
		{ID: "REC-15", Tries: "A token from before the password was changed.", Tests: []string{"internal/core/exchange.TestChangingThePassword", "test/http.TestRecoveryHasItsSteps"}},
	}},
	{"Accounts", []Row{
		{ID: "IDN-01", Tries: "An account made in advance with somebody's address, waiting for them to join it.",
			Tests: []string{"internal/core/exchange.TestSignUpByCode", "internal/core/exchange.TestWhoOwnsTheMailboxChoosesThePassword", "internal/edge/web.TestTheLinkInAnotherBrowser", "test/http.TestAStrangerBecomesAPerson"}},
		{ID: "IDN-03", Tries: "An upstream claim that is nearly true taken for true.", Later: noProviders},
		{ID: "IDN-05", Tries: "An address that changed hands upstream, taken for the person.", Later: noProviders},
		{ID: "IDN-06", Tries: "Another upstream subject with the same address.", Later: noProviders},
		{ID: "IDN-07", Tries: "A token of an issuer that the attacker runs.", Later: noProviders},
		{ID: "IDN-08", Tries: "An upstream token for another audience, or without an end.", Later: noProviders},
		{ID: "IDN-09", Tries: "A provider that was switched off in the middle of a sign-in.", Later: noProviders},
		{ID: "IDN-10", Tries: "A paused or deleted account that still comes in by some door.",
			Tests: []string{"internal/core/exchange.TestOnlyTheRightPasswordLearnsOfAPause", "test/cli.TestPauseEndsEverything", "internal/core/exchange.TestAnAccountIsDeleted", "test/cli.TestDeleteEndsEverything"}},
		{ID: "IDN-13", Tries: "Saying of oneself that the address is verified.", Tests: []string{"test/http.TestHostileBodiesAreRefused", "test/http.TestNobodyVerifiesThemselves", "internal/edge/web.TestInvitationOnItsPage"}},
		{ID: "IDN-15", Tries: "An account whose name looks like somebody else's, in other letters.",
			Tests: []string{"internal/core/identity.TestCanonicalHasOneKeyPerPerson", "internal/core/exchange.TestSignUpTakesOneAddress", "internal/core/identity.TestAdmission", "test/http.TestAnAddressHasOnePerson"}},
		{ID: "IDN-17", Tries: "The answer of a provider used twice, or in another browser.", Later: noProviders},
	}},
	{"Factors, step-up and delays", []Row{
		{ID: "MFA-01", Tries: "A code with a space in it, to pass by what remembers used codes.", Later: noFactors},
		{ID: "MFA-02", Tries: "A code used twice within its half minute.", Later: noFactors},
		{ID: "MFA-03", Tries: "Guesses of a code, spread over many sign-ins.", Later: noFactors},
		{ID: "MFA-04", Tries: "Two hundred wrong passwords at the same moment, to be compared before they are counted.",
			Tests: []string{"internal/core/exchange.TestSimultaneousGuesses", "test/http.TestSimultaneousGuessesAreHeld"}},
		{ID: "MFA-05", Tries: "A sign-in with one of two factors used as if it were whole.", Later: noFactors},
		{ID: "MFA-06", Tries: "A cache that kept the half sign-in as a whole one.", Later: noFactors},
		{ID: "MFA-07", Tries: "A way in that forgets to ask for the second factor.", Later: noFactors},
		{ID: "MFA-08", Tries: "A way in beside the pages: streams, metrics, debug routes.", Tests: []string{"test/http.TestOtherAddressesAreNotThere"}},
		{ID: "MFA-09", Tries: "A proof given for one purpose used for another.", Later: noFactors},
		{ID: "MFA-10", Tries: "A risky act with a proof that is old, or of another kind.", Tests: []string{"internal/core/exchange.TestAProofOfAnotherKindIsNotFresh", "test/http.TestEndingAsksForFreshProof", "internal/edge/web.TestEndingAsksForFreshProof"}},
		{ID: "MFA-11", Tries: "An empty or misshapen answer that moves a flow on.",
			Tests: []string{"internal/edge/web.TestFormsThatCannotBeReadChangeNothing", "internal/edge/web.TestEmptyFieldsAreNamed"}},
		{ID: "MFA-12", Tries: "A forwarding header that cannot be read, so that a step is left out.",
			Tests: []string{"internal/edge/door.TestWhoAsks", "test/http.TestForwardedAddressesOfStrangersCountForNothing"}},
		{ID: "MFA-13", Tries: "Other spellings of one address, to have a counter for each.",
			Tests: []string{"internal/core/exchange.TestOneCounterForOneAddress", "test/http.TestAnAddressHasOnePerson"}},
		{ID: "MFA-15", Tries: "One backup code, spent fifty times at once.", Later: noFactors},
		{ID: "MFA-16", Tries: "Somebody's remembered device carried into another account.", Later: "No device is remembered."},
		{ID: "MFA-18", Tries: "The request behind a page that is switched off.",
			Tests: []string{"internal/core/exchange.TestSignUpAsksThePolicyTwice", "internal/edge/web.TestSignUpClosed"}},
		{ID: "MFA-22", Tries: "Passwords that are alike for as long as somebody reads.", Tests: []string{"internal/core/factor.TestTheLastByteCounts"}},
		{ID: "MFA-23", Tries: "Wrong passwords without end, to lock somebody out.", Tests: []string{"internal/core/exchange.TestAKnownNetworkHasItsOwnDelays", "internal/core/exchange.TestAKnownBrowserHasABudgetOfItsOwn"}},
	}},
	{"Sessions and browsers", []Row{
		{ID: "SES-01", Tries: "A form or link begun in one browser and finished in another's.", Tests: []string{"internal/edge/web.TestFormsOfAnotherBrowserComeBack", "internal/core/exchange.TestACodeWorksInItsBrowserAlone"}},
		{ID: "SES-02", Tries: "A session planted in a browser before its person signs in.",
			Tests: []string{"internal/edge/web.TestPlantedCookiesAreReplaced", "test/http.TestChosenSessionsAreNone", "internal/core/exchange.TestANewBrowserIsTold"}},
		{ID: "SES-04", Tries: "A session id of the attacker's own choosing.", Tests: []string{"internal/core/exchange.TestForeignCookies", "test/http.TestChosenSessionsAreNone"}},
		{ID: "SES-05", Tries: "A second cookie of our name, set by a sibling domain.",
			Tests: []string{"internal/edge/web.TestCookiesSentTwiceAreNoSession", "test/http.TestCredentialsAreSentOnce"}},
		{ID: "SES-07", Tries: "A dead cookie that stays in the browser.", Tests: []string{"internal/edge/web.TestDeadCookiesGoUnlessTheStoreIsAway"}},
		{ID: "SES-08", Tries: "A token cut short, made longer, or put together from two.",
			Tests: []string{"internal/core/token.TestATokenHasOneSpelling", "test/http.TestTokensHaveOneSpelling"}},
		{ID: "SES-10", Tries: "Ending somebody else's session by its id.",
			Tests: []string{"internal/core/exchange.TestEndOneSession", "internal/edge/web.TestForeignSessionsAreUnknown", "test/http.TestEndingOneSession", "internal/core/exchange.TestActivityAndStory", "internal/edge/web.TestTheStoryOfASessionIsItsPersons"}},
		{ID: "SES-11", Tries: "A session or token that outlives its account.", Tests: []string{"test/cli.TestPauseEndsEverything", "test/http.TestEveryEndEndsEverything", "test/cli.TestDeleteEndsEverything", "test/http.TestAPersonDeletesTheirAccount", "internal/core/exchange.TestAnAccountIsDeleted"}},
		{ID: "SES-15", Tries: "A form or script of another site that acts with our cookies.",
			Tests: []string{"internal/edge/door.TestWhereAPageIsFrom", "internal/edge/web.TestOtherSitesMayNotSendForms", "test/http.TestStrangersCannotAsk"}},
		{ID: "SES-16", Tries: "Our page in a frame of somebody else's.", Tests: []string{"internal/edge/web.TestEveryAnswerHasTheHeaders", "test/http.TestHeadersBehindTLS"}},
		{ID: "SES-19", Tries: "A stolen cookie, used far away.", Later: "Places are not judged yet."},
	}},
	{"OAuth and OpenID Connect", []Row{
		{ID: "OAU-01", Tries: "A redirect address with a user name that hides the host.",
			Tests: []string{"test/conformance.TestNearlyTheRegisteredAddress", "internal/core/client.TestWhereAnswersGo"}},
		{ID: "OAU-02", Tries: "A redirect address that is nearly the registered one.",
			Tests: []string{"test/conformance.TestNearlyTheRegisteredAddress", "test/conformance.TestLoopbackPortsAreFree", "internal/core/client.TestWhereAnswersGo"}},
		{ID: "OAU-03", Tries: "Registering an address that runs as a script.",
			Tests: []string{"internal/core/client.TestAddressesThatMayBeRegistered", "test/http.TestHostileMetadataIsNotRegistered", "test/conformance.TestNearlyTheRegisteredAddress"}},
		{ID: "OAU-06", Tries: "A parameter sent twice, read once by each of two readers.",
			Tests: []string{"test/http.TestHostileBodiesAreRefused", "test/http.TestSpoiledRequestsAreRefused", "test/conformance.TestParametersComeOnce"}},
		{ID: "OAU-07", Tries: "An address to return to that some reader takes for another host.",
			Tests: []string{"internal/edge/web.TestReturnToStaysHere", "test/http.TestReturnsStayHere"}},
		{ID: "OAU-08", Tries: "One application's token redeemed by another.",
			Tests: []string{"internal/core/exchange.TestAnOriginWidensNothing", "test/http.TestIntrospectionIsForTheTokensOwnAPI", "test/conformance.TestOneApplicationsCodeAtAnother"}},
		{ID: "OAU-09", Tries: "One code, redeemed fifty times at once.",
			Tests: []string{"test/conformance.TestFiftyRedemptionsOfOneCode"}},
		{ID: "OAU-10", Tries: "One refresh token, spent fifty times at once.",
			Tests: []string{"internal/core/exchange.TestSimultaneousRefreshes", "internal/core/exchange.TestReuseEndsTheSession", "test/http.TestSimultaneousRefreshesForkNothing"}},
		{ID: "OAU-12", Tries: "A refresh after the account, the consent or the scope is gone.",
			Tests: []string{"test/cli.TestPauseEndsEverything", "internal/core/exchange.TestRefreshAgainstPause", "test/http.TestAPersonDeletesTheirAccount", "test/conformance.TestAnEndIsTheEndOfItsTokens"}},
		{ID: "OAU-13", Tries: "Leaving PKCE out, or weakening it.",
			Tests: []string{"test/conformance.TestPKCECannotBeLeftOut"}},
		{ID: "OAU-14", Tries: "A client's assertion used twice.",
			Tests: []string{"internal/core/exchange.TestAssertionsAreGoodOnce_OAU14", "internal/core/exchange.TestAssertionsAreGoodOnceInARace", "internal/core/exchange.TestClientsProveThemselvesByKey", "test/http.TestAnAssertionIsSentOnce_OAU14"}},
		{ID: "OAU-15", Tries: "A revocation that is acknowledged and never kept.", Tests: []string{"internal/core/exchange.TestAStoreThatDoesNotCommit"}},
		{ID: "OAU-16", Tries: "One kind of token where another is asked for.",
			Tests: []string{"internal/core/token.TestATokenHasOneSpelling", "test/http.TestNoTokenStandsForAnother", "test/conformance.TestNothingStandsForAnotherThing"}},
		{ID: "OAU-17", Tries: "Turning on a grant that is not there.",
			Tests: []string{"test/conformance.TestGrantsThatAreNotThere"}},
		{ID: "OAU-18", Tries: "A callback without the state, nonce or verifier of its sign-in.", Later: noProviders},
		{ID: "OAU-21", Tries: "Exchanging a token for a stronger one.",
			Tests: []string{"internal/core/exchange.TestTokensAreNotTradedUp_OAU21", "internal/core/exchange.TestTokensAreTradedDown_OAU21", "test/http.TestAServiceTradesATokenDown_OAU21"}},
		{ID: "OAU-23", Tries: "A device code that somebody else is talked into approving.", Tests: []string{"internal/core/exchange.TestWhoTypedTheCodeAnswers_OAU23", "internal/core/exchange.TestADeviceCostsAProof_OAU23", "internal/edge/web.TestNobodyElseAnswersADevice"}},
		{ID: "OAU-24", Tries: "Guessing device codes.",
			Tests: []string{"internal/core/exchange.TestUserCodesAreNotGuessed_OAU24", "internal/core/exchange.TestADeviceWaitsAsItIsTold_OAU24", "internal/edge/web.TestWrongCodesOfDevices", "test/http.TestADeviceAsks_OAU24"}},
		{ID: "OAU-25", Tries: "Reading a client's secret after it was made.", Tests: []string{"test/http.TestHostileMetadataIsNotRegistered"}},
		{ID: "OAU-27", Tries: "Markup in what an error page repeats.",
			Tests: []string{"internal/edge/web.TestFormsThatCannotBeReadChangeNothing", "internal/edge/web.TestWrongPasswordsLookAlike", "internal/edge/web.TestRequestsStayText", "internal/edge/web.TestAnAnswerInAForm", "test/conformance.TestNothingBecomesMarkup"}},
		{ID: "OAU-28", Tries: "A redirect that carries the posted password along.",
			Tests: []string{"internal/edge/web.TestEveryAnswerHasTheHeaders", "test/conformance.TestFormsAreNotSentOn"}},
		{ID: "OAU-30", Tries: "Having the server fetch an address inside its own network, or an answer without end.",
			Tests: []string{"internal/remote/fetch.TestNothingInsideIsCalled", "internal/remote/fetch.TestOtherSchemesAndForms", "internal/remote/fetch.TestANameIsJudgedWhenItIsCalled", "internal/remote/fetch.TestPlainHTTPIsForListedNetworks",
				"internal/remote/fetch.TestRedirectsAreNotFollowed", "internal/remote/fetch.TestAnswersAreBounded", "internal/remote/fetch.TestSlowAnswersAreCut"}},
		{ID: "OAU-33", Tries: "A sign-in of a command line that somebody else completes.", Later: "The command line has no sign-in."},
		{ID: "OAU-34", Tries: "Reading answers from any origin, with cookies.",
			Tests: []string{"internal/core/client.TestOriginHasOneSpelling", "test/http.TestStrangersCannotRead", "test/conformance.TestForeignPagesReadNothing"}},
		{ID: "OAU-35", Tries: "An access token after its session has ended.",
			Tests: []string{"internal/core/exchange.TestSignOut", "test/http.TestEveryEndEndsEverything", "test/conformance.TestAnEndIsTheEndOfItsTokens"}},
	}},
	{"Signed tokens", []Row{
		{ID: "JWT-01", Tries: "No signature, by any spelling of none.",
			Tests: []string{"sdk.TestProofs", "internal/core/token.TestWhatAProofMustBe", "internal/base/jose.TestJWT01NoneIsNoAlgorithm", "sdk.TestAlgorithmNoneInAnySpelling", "test/http.TestForgedTokensAreRefused", "test/conformance.TestForgedTokensOfApplications"}},
		{ID: "JWT-02", Tries: "The public key used as a shared secret.",
			Tests: []string{"sdk.TestProofs", "internal/core/token.TestWhatAProofMustBe", "internal/base/jose.TestJWT02PublicKeyIsNoSecret", "internal/core/exchange.TestWhatASharedSecretCannotSay", "sdk.TestSharedSecrets", "sdk.TestPublicKeyAsHMACSecret", "test/http.TestForgedTokensAreRefused", "test/conformance.TestForgedTokensOfApplications"}},
		{ID: "JWT-03", Tries: "A key inside the token.",
			Tests: []string{"internal/base/jose.TestJWT03EmbeddedKeyIsNeverUsed", "sdk.TestHeaderThatNamesItsOwnKey", "test/http.TestForgedTokensAreRefused"}},
		{ID: "JWT-04", Tries: "An address in the token, to fetch its key from.",
			Tests: []string{"sdk.TestProofs", "internal/core/token.TestWhatAProofMustBe", "internal/base/jose.TestJWT03EmbeddedKeyIsNeverUsed", "sdk.TestHeaderThatNamesItsOwnKey", "test/http.TestForgedTokensAreRefused"}},
		{ID: "JWT-05", Tries: "A key id that is a path or a query.",
			Tests: []string{"internal/base/jose.TestJWT05KIDIsOnlyLookedUp", "sdk.TestHostileKeyIDs", "test/http.TestForgedTokensAreRefused"}},
		{ID: "JWT-07", Tries: "A password-based key with two thousand million rounds.", Tests: []string{"test/conformance.TestEncryptedRequests", "internal/base/jose.TestEncryptedTokensThatAreRefused", "test/http.TestForgedTokensAreRefused"}},
		{ID: "JWT-08", Tries: "A small token or body that becomes a large one.", Tests: []string{"test/conformance.TestEncryptedRequests", "internal/base/jose.TestEncryptedTokensThatAreRefused", "test/http.TestForgedTokensAreRefused", "test/http.TestHostileBodiesAreRefused"}},
		{ID: "JWT-09", Tries: "An encrypted token with parts missing.", Tests: []string{"test/conformance.TestEncryptedRequests", "internal/base/jose.TestEncryptedTokensThatAreRefused", "internal/base/jose.TestJWT09EncryptedTokensHaveNoForm", "sdk.TestEncryptedTokens", "test/http.TestForgedTokensAreRefused"}},
		{ID: "JWT-10", Tries: "A megabyte of dots.", Tests: []string{"internal/core/token.TestWhatAProofMustBe", "internal/base/jose.TestJWT10FormIsCheckedFirst", "sdk.TestForm", "test/http.TestForgedTokensAreRefused"}},
		{ID: "JWT-11", Tries: "An expired token with a bad signature, read for its claims.", Tests: []string{"internal/core/exchange.TestAccessTokens", "sdk.TestSignature"}},
		{ID: "JWT-12", Tries: "No audience, an empty one, or somebody else's.", Tests: []string{"internal/core/exchange.TestAccessTokens", "sdk.TestAudience", "test/http.TestIntrospectionIsForTheTokensOwnAPI"}},
		{ID: "JWT-16", Tries: "A token of another kind, signed by the right key.",
			Tests: []string{"internal/core/token.TestWhatAProofMustBe", "internal/base/jose.TestJWT16TypIsExact", "sdk.TestType", "test/http.TestForgedTokensAreRefused"}},
		{ID: "JWT-20", Tries: "Times that are no whole numbers.", Tests: []string{"sdk.TestProofs", "internal/core/token.TestWhatAProofMustBe", "internal/core/token.TestClaimsThatAreNotWholeNumbersAreRefused", "sdk.TestTimes"}},
		{ID: "JWT-21", Tries: "A well-known or empty signing secret.", Tests: []string{"test/fault.TestWithoutItsKeyNothingStarts", "internal/core/exchange.TestWhatIsNotShared"}},
		{ID: "JWT-23", Tries: "A key agreement with a point off the curve.", Tests: []string{"test/conformance.TestEncryptedRequests", "internal/base/jose.TestEncryptedTokensThatAreRefused", "internal/base/jose.TestKeysOfOthersThatAreRefused"}},
	}},
	{"Telling who has an account", []Row{
		{ID: "ENM-01", Tries: "Words, headers or steps that differ when there is an account.",
			Tests: []string{"test/http.TestMailedPagesTellNothing", "internal/edge/web.TestWrongPasswordsLookAlike", "internal/core/exchange.TestWrongSignInsLookAlike", "test/http.TestWhoHasAnAccountIsNotTold",
				"internal/core/exchange.TestSignUpTellsNobodyWhoHasAnAccount", "internal/edge/web.TestSignUpPagesLookAlike"}},
		{ID: "ENM-02", Tries: "The time that an answer takes.",
			Tests: []string{"internal/core/factor.TestDummyCostsTheSameAndFitsNothing", "internal/core/exchange.TestWrongSignInsLookAlike"}},
		{ID: "ENM-03", Tries: "A secret compared byte by byte.", Tests: []string{"internal/core/client.TestASecretProvesOneClientOnlyAndForItsTime"}},
	}},
	{"Denial of service and injection", []Row{
		{ID: "DOS-01", Tries: "Another address for each try, so that no limit counts.",
			Tests: []string{"internal/core/risk.TestNetworksThatAreOnePlace", "internal/edge/door.TestWhoAsks", "test/http.TestForwardedAddressesOfStrangersCountForNothing"}},
		{ID: "DOS-02", Tries: "Five hundred sign-ins at once, or a password of a megabyte.",
			Tests: []string{"internal/core/exchange.TestAFloodOfSignIns", "internal/core/factor.TestDOS02NoMoreThanSoManyAtOnce", "test/http.TestAFloodOfSignInsHarmsNobody"}},
		{ID: "DOS-03", Tries: "Connections that send a byte now and then, or another protocol.", Tests: []string{"test/http.TestSlowConnectionsAreClosed"}},
		{ID: "DOS-04", Tries: "A hundred thousand cookies, a million parameters, a body without end.",
			Tests: []string{"test/http.TestHostileBodiesAreRefused", "test/http.TestSpoiledRequestsAreRefused", "test/http.TestEndlessRequestsAreCut"}},
		{ID: "DOS-05", Tries: "A header that is costly to read.", Tests: []string{"test/http.TestEndlessRequestsAreCut"}},
		{ID: "DOS-08", Tries: "A search filter inside a name.", Later: noLDAP},
		{ID: "DOS-09", Tries: "An empty password that a directory takes for none.", Later: noLDAP},
		{ID: "DOS-10", Tries: "A hook that leads inside the network.", Later: noHooks},
		{ID: "DOS-11", Tries: "Randomness that can be foretold.", Tests: []string{"internal/app.TestImportsPointInward"}},
		{ID: "DOS-12", Tries: "Ten thousand mails to somebody, sent by us.", Tests: []string{"internal/core/exchange.TestSignUpsAreFew"}},
		{ID: "DOS-16", Tries: "An old version of TLS.", Later: noTLS},
	}},
	{"Administration and tenants", []Row{
		{ID: "TEN-01", Tries: "Another organization's things, by their ids.", Later: noOrgs},
		{ID: "TEN-02", Tries: "A route of administration that forgot to ask who calls.", Tests: []string{"test/http.TestOtherAddressesAreNotThere"}},
		{ID: "TEN-03", Tries: "Two questions that a cache takes for one.", Later: noRelations},
		{ID: "TEN-04", Tries: "A model whose evaluation allows what it should not.", Later: noRelations},
		{ID: "TEN-05", Tries: "A playground left open.", Later: noRelations},
		{ID: "TEN-06", Tries: "Models that run in circles.", Later: noRelations},
		{ID: "TEN-07", Tries: "A foreign id that is one of ours.", Later: noSCIM},
		{ID: "TEN-08", Tries: "One organization's provisioning on another's people.", Later: noSCIM},
		{ID: "TEN-09", Tries: "Two changes at once that leave nobody in charge.", Later: noOrgs},
		{ID: "TEN-10", Tries: "Revoking another organization's token.", Later: noOrgs},
		{ID: "TEN-11", Tries: "A role that was taken away and is still in the token.", Later: "There are no roles."},
		{ID: "TEN-13", Tries: "A body that says in whose name it acts.", Tests: []string{"test/http.TestNobodyVerifiesThemselves"}},
		{ID: "TEN-14", Tries: "A query inside a cursor, an id or a name.", Tests: []string{"test/http.TestHostileTextIsNoFailure", "test/http.TestSpoiledRequestsAreRefused"}},
		{ID: "TEN-15", Tries: "Being the first at a fresh server.", Tests: []string{"test/http.TestAFreshServerKnowsNobody", "test/http.TestTheFirstAdministrator", "internal/core/exchange.TestOneFirstAdministrator", "internal/edge/web.TestSetupOnItsPage"}},
		{ID: "TEN-18", Tries: "Reading secrets from logs, ledgers and error pages.",
			Tests: []string{"internal/core/exchange.TestNoSecretIsKept", "test/http.TestNoAddressHoldsASecret"}},
		{ID: "TEN-21", Tries: "Two tenants with one name.", Later: noOrgs},
	}},
}
