package sim_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rules are those of domain sections 10 to 12, each with what holds it: a
// scenario, as folder/file, or a test of a package, as package.Test, where the
// rule is about what no story of bills can show.
var rules = []struct{ rule, held string }{
	{"10.1 cash: a bank transfer is credited by the operator on receipt, and fills a debt first", "money/a-deposit-fills-the-debt-first storetest.TestTransferIsCreditedExactlyOnce"},
	{"10.1 cash: above a limit two operators credit a transfer", "storetest.TestTwoOperatorsCreditOnceHoweverOftenTheyClick storetest.TestTheStoreItselfRefusesASingleOperator"},
	{"10.1 cash: a payment online moves the ledger once, or not at all", "storetest.TestANoticeCreditsOnceHoweverOftenItComes storetest.TestWhatDoesNotFitIsParkedAndMovesNothing storetest.TestTheOrderOfNoticesDoesNotMatter"},
	{"10.1 cash: refunds and disputes reverse exactly", "storetest.TestRefundsAndDisputesReverseExactly"},
	{"10.1 adjustments: a new line with a reason and a second pair of eyes", "storetest.TestAnAdjustmentIsBookedOnceBySomebodyElse storetest.TestAnAdjustmentIsALineOfOneStatementAndPartOfNoTotal"},
	{"10.1 amounts that nobody means are refused", "money/an-absurd-amount-is-refused"},
	{"10.1 vouchers: activated by code, once; unknown, used, expired, other currency, too many tries", "money/a-code-is-activated-once storetest.TestACodeThatDoesNotWorkSaysWhy storetest.TestGuessingIsLimitedPerAccountAndAddress storetest.TestOneOfAThousandConcurrentActivationsWins"},
	{"10.1 vouchers: used before their expiry, or worth nothing", "money/a-voucher-of-a-code-runs-out money/an-expired-voucher-is-worth-nothing money/a-payer-is-told-of-what-ends"},
	{"10.1 full-reduction vouchers: by card purchases of 10,000, 30,000 and 100,000, the highest tier, per purchase", "money/a-bought-card-earns-a-voucher money/a-large-card-earns-the-highest-tier-once storetest.TestABoughtCardEarnsTheVoucherOfItsTier"},
	{"10.1 cards: a face of at least 100 in steps of 100, for cash", "money/a-card-has-a-round-face money/a-card-without-cash-is-refused"},
	{"10.1 cards: bought on Huawei's market and redeemed by account and order", "hooks.TestACardIsRedeemedOnceAndClawedBack"},
	{"10.2 W1: voucher, full-reduction, card, cash, then arrears", "money/a-bill-takes-its-sources-in-order"},
	{"10.2 W2: vouchers do not pay short messages and synthetic tests", "money/vouchers-do-not-pay-short-messages"},
	{"10.2 W4: what a cloud settles is paid by voucher, card and cloud, and touches no cash", "cloud/a-bill-is-paid-by-voucher-card-and-cloud wallet.TestDeductionOrder"},
	{"10.2 W7: what nothing covers is owed", "money/a-bill-nobody-can-pay-is-owed"},
	{"10.2 within a source the earliest expiry pays first; of equal ones the oldest", "money/the-earliest-expiry-pays-first wallet.TestWithinAKindTheEarliestExpiryPaysFirst"},
	{"10.2 the debt is one number per account, even without a card", "money/the-debt-is-one-number"},
	{"10.2 a card that is bought, and any cash, fill the debt first", "money/a-card-fills-the-debt-first money/a-deposit-fills-the-debt-first"},
	{"10.2 lines are paid in a fixed order: by workspace, then as the catalogue has them", "money/each-line-is-paid-in-the-order-of-the-catalogue money/workspaces-of-one-payer-share-its-wallet"},
	{"10.2 the parts of a line sum to it, and no source is overdrawn", "wallet.TestPartsSumToTheLineAndNeverOverdraw"},
	{"10.2 the order that is shown is the one that pays", "wallet.TestTheOrderThatIsShownIsTheOneThatPays"},
	{"10.3 packages: only with the Billing Center, for several workspaces of an account", "package/a-package-keeps-its-workspaces-with-the-billing-center package/who-may-share-a-package"},
	{"10.3 packages: paid by any mix of cash, card and vouchers", "package/a-package-is-paid-by-any-mix"},
	{"10.3 packages: hold for a calendar year", "package/a-package-ends-after-a-calendar-year"},
	{"10.3 packages: upgraded for what is left", "package/an-upgrade-costs-the-days-that-are-left prepaid.TestUpgradesCostTheDaysThatAreLeft"},
	{"10.3 sharing: the first workspace takes what it needs, the next the rest", "package/workspaces-share-a-quota-in-their-order prepaid.TestSharingExample"},
	{"10.3 conversion: quantities count by the factor of their class", "package/every-class-counts-by-its-factor prepaid.TestFactors"},
	{"10.3 P1: what is beyond the quota costs the default class, 132 in all", "package/what-is-beyond-the-quota-costs-the-default-class"},
	{"10.3 items outside a package are billed by use", "package/items-outside-a-package-are-billed-by-use"},
	{"10.3 traffic packages: capacity in multiples, at their price and discount, day by day", "package/a-traffic-package-costs-its-day package/traffic-packages-come-in-multiples storetest.TestDiscountHoldsForWhatIsBoughtAfterIt"},
	{"11 after the upgrade the Billing Center settles", "settlement/the-billing-center-settles-after-the-upgrade"},
	{"11 a site offers its own cloud; the newer profile opens Huawei in Guangzhou", "settlement/a-site-offers-its-own-cloud settlement/the-newer-profile-opens-huawei-in-guangzhou settle.TestDialogOffersWhatTheSiteAllows"},
	{"11 arbitrary settlement lifts the restriction of the site", "settlement/arbitrary-settlement-opens-every-method"},
	{"11 at most one change a month, by the site's midnight of the last day", "cloud/a-cloud-settles-until-it-is-unsubscribed storetest.TestTheMethodChangesOnBothSidesOfTheMonthsMidnight storetest.TestTwoTabsChooseOnceAMonth"},
	{"11 the first choice and forced changes do not count", "cloud/a-cloud-settles-until-it-is-unsubscribed storetest.TestSettlementChangesOnceAMonthAfterTheFirstChoice settle.TestAtMostOneChangeAMonthCounts"},
	{"11 a cloud stays until it is unsubscribed, which is looked at before the month", "cloud/a-cloud-settles-until-it-is-unsubscribed settle.TestChangeTable"},
	{"11 one cloud account settles further workspaces, of several sites", "cloud/one-cloud-account-settles-workspaces-of-several-sites"},
	{"11 an annual package binds to the Billing Center", "package/a-package-keeps-its-workspaces-with-the-billing-center storetest.TestPackageNeedsTheBillingCenter"},
	{"11 C-14 Alibaba: cancelled falls back with a mail; expired or released locks", "cloud/a-cancelled-alibaba-subscription-falls-back cloud/an-expired-alibaba-instance-starts-the-grace"},
	{"11 C-14 AWS and Huawei: cancelled, closed or frozen locks", "cloud/a-frozen-huawei-resource-starts-the-grace cloud/the-last-usage-of-an-aws-license-goes-out-within-its-hour storetest.TestAnEndDoesToWorkspacesWhatItsCloudSays"},
	{"11 a renewal under a new license keeps its workspaces", "cloud/a-renewal-under-a-new-license-takes-the-workspaces-along"},
	{"11 what clouds say may come in any order", "cloud/events-in-any-order-end-the-same"},
	{"11 what a cloud is told sums to what is billed to it", "cloud/each-difference-has-its-state cloud/what-does-not-fit-a-cloud-is-carried cloud/an-answer-that-alibaba-loses-is-for-a-person"},
	{"5 and 11 re-binding: within one certified company, of both ends", "rebind/why-a-workspace-is-not-re-bound rebind/the-day-belongs-to-who-has-the-workspace-at-its-end storetest.TestAClaimSaysWhyItCannotBe storetest.TestOneOfManyConcurrentTakeOversGetsTheWorkspace"},
	{"12 the clock begins with the first daily settlement that leaves a debt (C-20)", "arrears/the-first-daily-settlement-that-leaves-a-debt-starts-the-clock"},
	{"12 fourteen days after that: locked, to the minute", "arrears/fourteen-days-after-the-debt-began-it-is-locked arrears/paid-a-minute-before-the-lock-it-works-on arrears.TestTheVectorsOfTheClock"},
	{"12 paid in part: the same date", "arrears/a-part-of-the-debt-leaves-the-date"},
	{"12 paid, and in arrears again: a new beginning", "arrears/a-new-debt-has-a-new-beginning"},
	{"12 all workspaces that the Billing Center settles for a payer go together", "arrears/all-workspaces-of-a-payer-go-together"},
	{"12 paid in full, a locked workspace works at once", "arrears/a-locked-workspace-works-again-when-everything-is-paid"},
	{"12 who is locked takes on no more workspaces", "arrears/a-locked-payer-takes-no-more-workspaces"},
	{"12 the operator can always unlock (C-16)", "arrears/the-operator-grants-more-days"},
	{"12 cleared and dissolved are final, in every tab", "arrears/a-cleared-workspace-stays-so storetest.TestADissolveInAnotherTabIsAClearRefusalEverywhere arrears.TestTheWholeStateSpace"},
	{"12 dissolving: by the Owner, of any plan, billed to its last hour", "arrears/an-experience-workspace-can-be-dissolved arrears/a-dissolved-workspace-is-billed-to-its-last-hour arrears/the-last-bill-of-a-dissolved-workspace-may-leave-a-debt"},
}

// TestEachRuleOfMoneyIsHeld looks for what holds each rule, and for scenarios
// of these sections that hold none.
func TestEachRuleOfMoneyIsHeld(t *testing.T) {
	t.Parallel()
	tests, scenarios := namesOfTests(t), map[string]bool{}
	for _, folder := range []string{"money", "package", "settlement", "cloud", "arrears", "rebind"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "scenarios", folder, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			scenarios[folder+"/"+strings.TrimSuffix(filepath.Base(f), ".yaml")] = false
		}
	}
	for _, r := range rules {
		for _, held := range strings.Fields(r.held) {
			if of, test, ok := strings.Cut(held, "."); ok {
				if !slices.Contains(tests[of], test) {
					t.Errorf("%s: there is no test %s", r.rule, held)
				}
				continue
			}
			if _, there := scenarios[held]; !there {
				t.Errorf("%s: there is no scenario %s", r.rule, held)
			}
			scenarios[held] = true
		}
	}
	for name, names := range scenarios {
		if !names {
			t.Errorf("%s holds no rule: name it beside its own", name)
		}
	}
}

// aTest begins a test in a file.
var aTest = regexp.MustCompile(`(?m)^func (Test\w+)\(t `)

// namesOfTests are the tests of the packages that rules name.
func namesOfTests(t *testing.T) map[string][]string {
	t.Helper()
	names := map[string][]string{}
	for of, folder := range map[string]string{
		"wallet": "wallet", "prepaid": "prepaid", "settle": "settle", "arrears": "arrears", "hooks": "hooks", "storetest": filepath.Join("store", "storetest"),
	} {
		files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range aTest.FindAllStringSubmatch(string(text), -1) {
				names[of] = append(names[of], found[1])
			}
		}
	}
	return names
}
