package notify_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/alert"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

var update = flag.Bool("update", false, "write the golden files anew")

// base is the address of the consoles.
const base = "https://tollgate.example"

var at = time.Date(2026, 3, 1, 6, 30, 0, 0, time.UTC)

// events are all that a mail is written for, by the name of their golden files.
func events(language string) map[string]any {
	all := ofTheBusiness(language)
	maps.Copy(all, ofPeople(language))
	maps.Copy(all, ofMarketplaces(language))
	return all
}

// codeFor is a mailed code.
func codeFor(language string) func(p account.Purpose, s site.ID, concerned string) account.CodeSent {
	return func(p account.Purpose, s site.ID, concerned string) account.CodeSent {
		return account.CodeSent{Purpose: p, Email: "mei@example.com", Language: language, Digits: "042917", ExpiresAt: at.Add(account.CodeLife), Site: s, For: concerned}
	}
}

// asked is a code by which its reader consents to what another account asks for.
func asked(e account.CodeSent) account.CodeSent {
	e.By = "acme-two"
	return e
}

func ofPeople(language string) map[string]any {
	code := codeFor(language)
	return map[string]any{
		"code-email-present": code(account.ForPresentAddress, "cn1", "new@example.com"),
		"code-email-new":     code(account.ForNewAddress, "cn1", "mei"),
		"code-phone":         code(account.ForPhone, "", "+8613800000000"),
		"code-phone-none":    code(account.ForPhone, "", ""),
		"invited-guest": workspace.Invited{WorkspaceName: "商城 shop", Site: "cn1", Role: workspace.Standard, Email: "new@example.com", Language: language,
			InvitedBy: "Mei", ExpiresAt: at.Add(workspace.InvitationLife), InvitedAt: at},
		"promotion-accepted": answered(workspace.PromotionAccepted, "", language),
		"promotion-rejected": answered(workspace.PromotionRejected, "ask Li first", language),
		"promotion-expired":  answered(workspace.PromotionExpired, "", language),
		"ownership-offered": workspace.OwnershipOffered{WorkspaceID: "wksp_0123456789", WorkspaceName: "商城 shop", Site: "cn1", Owner: "Mei", Email: "li@example.com",
			Language: language, ExpiresAt: at.Add(workspace.OfferLife), OfferedAt: at},
		"code-rebind":    code(account.ForRebinding, "cn1", "商城 shop"),
		"code-take-over": asked(code(account.ForTakingOver, "cn1", "商城 shop")),
		"code-open":      code(account.ForOpening, "cn1", "商城 shop"),
		"code-dissolve":  asked(code(account.ForDissolving, "cn1", "商城 shop")),
		"rebound-owner": rebind.Rebound{WorkspaceID: "wksp_0123456789", WorkspaceName: "商城 shop", Site: "cn1", From: "acme", To: "acme-two", Email: "mei@example.com",
			Language: language, Owner: true, At: at},
		"rebound": rebind.Rebound{WorkspaceID: "wksp_0123456789", WorkspaceName: "商城 shop", Site: "cn1", From: "acme", To: "acme-two", Email: "mei@example.com",
			Language: language, At: at},
		"owner-changed": workspace.OwnerChanged{WorkspaceID: "wksp_0123456789", WorkspaceName: "商城 shop", Site: "us1", Before: "Mei", Now: "Li", Email: "li@example.com",
			Language: language, At: at},
		"password-changed": secured(account.PasswordChanged, account.StudioSystem, "cn1", language),
		"password-reset":   secured(account.PasswordReset, account.BillingSystem, "", language),
		"email-changed":    secured(account.EmailChanged, account.StudioSystem, "us1", language),
		"phone-changed":    secured(account.PhoneChanged, account.BillingSystem, "", language),
	}
}

func ofTheBusiness(language string) map[string]any {
	code := codeFor(language)
	return map[string]any{
		"code-studio":        code(account.ForStudio, "cn1", "mei"),
		"code-billing":       code(account.ForBilling, "", "acme-billing"),
		"code-upgrade":       code(account.ForUpgrade, "cn1", "商城 shop"),
		"code-binding":       code(account.ForBinding, "us1", "商城 shop"),
		"code-reset":         code(account.ForReset, "", "acme-billing"),
		"studio-registered":  account.Registered{Site: "cn1", UserName: "mei", Email: "mei@example.com", Language: language, RegisteredAt: at},
		"billing-registered": account.Registered{UserName: "acme-billing", Email: "mei@example.com", Language: language, RegisteredAt: at},
		"opening-reminder":   opened(language),
		"cash-credited":      credited(language),
		"cash-credited-in-arrears": wallet.CashCredited{UserName: "acme-billing", Email: "finance@example.com", Language: language,
			Amount: money.MustParse("10", money.USD), PaidDebt: money.MustParse("10", money.USD), Cash: money.Of(0, money.USD), Owed: money.MustParse("2.5", money.USD),
			CreditedAt: at},
		"cash-credited-online":    creditedOnline(language),
		"cash-credited-another":   creditedAnother(language),
		"transfer-rejected":       transferOf(language),
		"cash-refunded":           reversed(language, wallet.Refund, "0"),
		"cash-disputed":           reversed(language, wallet.Chargeback, "60"),
		"certification-certified": certificationOf(language, account.CertificationCertified, ""),
		"certification-rejected":  certificationOf(language, account.CertificationRejected, "Acme Old Ltd"),
		"package-bought":          receiptOf(language, prepaid.Bought),
		"package-upgraded":        receiptOf(language, prepaid.Upgraded),
		"package-expiring":        expiringOf(language, 30),
		"package-expiring-today":  expiringOf(language, 1),
		"invoice-requested":       invoiceOf(language, invoice.Requested, invoice.Special),
		"invoice-issued":          invoiceOf(language, invoice.Issued, invoice.Special),
		"invoice-sent-on-paper":   invoiceOf(language, invoice.Sent, invoice.Special),
		"invoice-sent-by-mail":    invoiceOf(language, invoice.Sent, invoice.Electronic),
		"invoice-rejected":        invoiceOf(language, invoice.Rejected, invoice.Ordinary),
		"invoice-reversed":        invoiceOf(language, invoice.Reversed, invoice.Special),
		"invoice-withdrawn":       invoiceOf(language, invoice.Withdrawn, invoice.Electronic),
		"high-consumption":        exceeded(language, "logs"),
		"high-consumption-total":  exceeded(language, alert.Total),
		"statement":               statementOf(language, "38.50", "11.50"),
		"statement-in-arrears":    statementOf(language, "10", "40"),
		"balance-adjusted":        adjusted(language, "12.5", "cn1-2026-000041", "20", "0"),
		"balance-adjusted-owed":   adjusted(language, "-40", "", "0", "15"),
		"source-given":            issued(language, wallet.Given, wallet.ByVoucher),
		"card-given-in-arrears":   issued(language, wallet.Given, wallet.ByCard),
		"source-activated":        issued(language, wallet.Activated, wallet.ByFullReduction),
		"card-bought":             issued(language, wallet.Bought, wallet.ByCard),
		"source-expiring":         wallet.SourcesExpiring{Reader: reader(language), Sources: ending()[1:], WarnedAt: at},
		"sources-expiring":        wallet.SourcesExpiring{Reader: reader(language), Sources: ending(), WarnedAt: at},
		"source-lapsed":           wallet.SourceLapsed{Reader: reader(language), Source: ending()[1], Left: money.MustParse("12.5", money.CNY), LapsedAt: at},
		"arrears-started":         arrears.Began{Notice: notice(language, arrears.Debt)},
		"arrears-reminder":        arrears.Reminded{Notice: notice(language, arrears.Debt), Days: 3},
		"arrears-last-reminder":   arrears.Reminded{Notice: notice(language, arrears.Debt), Days: 1},
		"workspace-locked":        arrears.Locked{Notice: notice(language, arrears.Debt), ClearAt: at.AddDate(0, 0, 7)},
		"workspace-unlocked":      arrears.Ended{Notice: notice(language, arrears.Debt), WasLocked: true},
		"arrears-paid":            arrears.Ended{Notice: notice(language, arrears.Debt)},
		"time-granted":            arrears.Granted{Notice: notice(language, arrears.Debt)},
		"cloud-ended":             arrears.Began{Notice: notice(language, arrears.Cloud)},
		"cloud-reminder":          arrears.Reminded{Notice: notice(language, arrears.Cloud), Days: 1},
		"cloud-locked":            arrears.Locked{Notice: notice(language, arrears.Cloud), ClearAt: at.AddDate(0, 0, 7)},
		"cloud-back":              arrears.Ended{Notice: notice(language, arrears.Cloud), WasLocked: true},
		"data-deleted":            arrears.Cleared{Workspace: shop, Reason: workspace.Locked, Readers: notice(language, arrears.Cloud).Readers, At: at},
		"data-of-dissolved":       arrears.Cleared{Workspace: shop, Reason: workspace.Dissolved, Readers: notice(language, arrears.Cloud).Readers, At: at},
		"workspace-dissolved":     arrears.Dissolved{Workspace: shop, Readers: notice(language, arrears.Cloud).Readers, At: at, ClearAt: at.AddDate(0, 0, 7)},
		"invitation": workspace.MemberAdded{WorkspaceID: "wksp_0123456789", WorkspaceName: "商城 shop", Site: "us1", Role: workspace.Standard,
			Email: "li@example.com", Language: language, InvitedBy: "Mei", AddedAt: at},
	}
}

func answered(state workspace.PromotionState, reason, language string) workspace.PromotionAnswered {
	return workspace.PromotionAnswered{WorkspaceID: "wksp_0123456789", WorkspaceName: "商城 shop", State: state, Role: workspace.Administrator,
		Member: "Li", Reason: reason, Email: "mei@example.com", Language: language, At: at}
}

func secured(what account.Security, system account.System, s site.ID, language string) account.Secured {
	return account.Secured{What: what, System: system, Site: s, UserName: "mei", Email: "mei@example.com", Now: "new@example.com", Language: language, At: at}
}

var shop = arrears.Concerned{ID: "wksp_0123456789", Name: "商城 shop", Site: "cn1"}

// notice is of seven workspaces of a payer, one of which has an Owner who is
// not the payer; of a cloud it is of one.
func notice(language string, cause arrears.Cause) arrears.Notice {
	n := arrears.Notice{
		Cause: cause, UserName: "acme-billing", Owed: money.MustParse("15", money.CNY), BeganAt: at.AddDate(0, 0, -1), LockAt: at.AddDate(0, 0, 13), At: at,
		Readers: []arrears.Reader{
			{Email: "finance@example.com", Language: language, Payer: true, Workspaces: []arrears.Concerned{shop}},
			{Email: "mei@example.com", Language: language, Workspaces: []arrears.Concerned{shop}},
		},
	}
	if cause == arrears.Debt {
		for _, name := range []string{"b", "c", "d", "e", "f", "g"} {
			n.Readers[0].Workspaces = append(n.Readers[0].Workspaces, arrears.Concerned{ID: "wksp_" + name, Name: name, Site: "us1"})
		}
	}
	return n
}

func credited(language string) wallet.CashCredited {
	return wallet.CashCredited{UserName: "acme-billing", Email: "finance@example.com", Language: language,
		Amount: money.MustParse("1000", money.CNY), PaidDebt: money.Of(0, money.CNY), Cash: money.MustParse("1234.5", money.CNY), Owed: money.Of(0, money.CNY),
		Reference: "TT-20260301-7", CreditedAt: at}
}

func creditedAnother(language string) wallet.CashCredited {
	e := credited(language)
	e.Declared, e.Difference = money.MustParse("1020", money.CNY), "The bank kept a fee of 20.00."
	return e
}

func transferOf(language string) wallet.TransferRejected {
	return wallet.TransferRejected{Reader: reader(language), Transfer: wallet.Transfer{
		ID:     "trsf_0123456789",
		Amount: money.MustParse("1000", money.CNY), Reference: "TG-7K3M9-Q2X4V", DeclaredAt: at.AddDate(0, 0, -3), DecidedAt: at, Reason: "No such amount arrived.",
	}}
}

func creditedOnline(language string) wallet.CashCredited {
	return wallet.CashCredited{UserName: "acme-billing", Email: "finance@example.com", Language: language,
		Amount: money.MustParse("100", money.CNY), PaidDebt: money.MustParse("15", money.CNY), Cash: money.MustParse("85", money.CNY), Owed: money.Of(0, money.CNY),
		Channel: "alipay", Reference: "2026030122001447951426000001", CreditedAt: at}
}

func reversed(language string, kind wallet.Kind, debt string) wallet.CashReversed {
	return wallet.CashReversed{UserName: "acme-billing", Email: "finance@example.com", Language: language, Kind: kind,
		Amount: money.MustParse("100", money.USD), Debt: money.MustParse(debt, money.USD), Cash: money.Of(0, money.USD), Owed: money.MustParse(debt, money.USD),
		Channel: "stripe", Reference: "pi_3NnLHc2eZvKYlo2C", ReversedAt: at}
}

func exceeded(language, item string) alert.Exceeded {
	e := alert.Exceeded{
		WorkspaceID: "wksp_0123456789", WorkspaceName: "商城 shop", Site: "cn1", Day: period.MustParseDay("2026-02-28"), Item: item,
		Amount: money.MustParse("120.5", money.CNY), Threshold: money.MustParse("100", money.CNY), At: at,
		Recipients: []alert.Recipient{{Email: "mei@example.com", Language: language}, {Email: "ops@outside.example", Language: language}},
	}
	if item != alert.Total {
		e.ItemName = catalog.Text{En: "Logs", Zh: "日志"}
	}
	return e
}

func opened(language string) upgrade.Opened {
	return upgrade.Opened{
		WorkspaceID: "wksp_0123456789", WorkspaceName: "商城 shop", Site: "cn1", Plan: workspace.Commercial,
		OwnerEmail: "mei@example.com", OwnerLanguage: language,
		BillingUserName: "acme-billing", BillingEmail: "finance@example.com", BillingLanguage: language,
		StartedAt: at,
	}
}

func TestEveryMailReadsAsItsGoldenFileInEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, language := range notify.Languages() {
		for name, event := range events(language) {
			t.Run(name+"-"+language, func(t *testing.T) {
				t.Parallel()
				mails, err := notify.Compose(event, base)
				if err != nil {
					t.Fatal(err)
				}
				var got bytes.Buffer
				for _, m := range mails {
					if m.CreatedAt != at || !id.Valid(id.Mail, m.ID) {
						t.Errorf("mail %q of %v", m.ID, m.CreatedAt)
					}
					fmt.Fprintf(&got, "To: %s\nKind: %s\nLanguage: %s\nSubject: %s\n\n%s", m.To, m.Kind, m.Language, m.Subject, m.Text)
					fmt.Fprintf(&got, "\n%s\n", strings.Repeat("=", 72))
				}
				compare(t, name+"."+language+".txt", got.Bytes())
				compare(t, name+"."+language+".html", []byte(mails[0].HTML))
			})
		}
	}
}

func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run go test ./internal/notify -update", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

func TestOpeningReminderReachesPayerAndOwnerEachInTheirLanguage(t *testing.T) {
	t.Parallel()
	e := opened("zh")
	e.OwnerLanguage = "en"
	mails, err := notify.Compose(e, base)
	if err != nil {
		t.Fatal(err)
	}
	if len(mails) != 2 || mails[0].To != "finance@example.com" || mails[1].To != "mei@example.com" {
		t.Fatalf("mails go to %v", mails)
	}
	if !strings.Contains(mails[0].Text, "商业版已开通") || !strings.Contains(mails[1].Text, "The Commercial plan is open") {
		t.Errorf("languages are mixed up:\n%s\n%s", mails[0].Text, mails[1].Text)
	}
	for _, m := range mails {
		if !strings.Contains(m.Text, "2026-03-01 14:30:00 +08:00 (Asia/Shanghai)") {
			t.Errorf("the start is not shown in the site's zone:\n%s", m.Text)
		}
	}
}

func TestOnePersonAsPayerAndOwnerGetsOneReminder(t *testing.T) {
	t.Parallel()
	e := opened("en")
	e.OwnerEmail = e.BillingEmail
	mails, err := notify.Compose(e, base)
	if err != nil || len(mails) != 1 {
		t.Errorf("%d mails (%v), want 1", len(mails), err)
	}
}

func TestUnknownLanguageGetsEnglish(t *testing.T) {
	t.Parallel()
	mails, err := notify.Compose(account.CodeSent{Purpose: account.ForReset, Email: "a@example.com", Language: "fr", Digits: "123456", ExpiresAt: at}, base)
	if err != nil || mails[0].Language != "en" {
		t.Errorf("%v (%v), want English", mails, err)
	}
}

func TestEventWithoutMailIsAnError(t *testing.T) {
	t.Parallel()
	if mails, err := notify.Compose(struct{}{}, base); err == nil {
		t.Errorf("composed %v of nothing", mails)
	}
}

func TestNamesFromOutsideStayNames(t *testing.T) {
	t.Parallel()
	e := opened("en")
	e.WorkspaceName = "shop\r\nBcc: everybody@example.com\r\n\r\n<script>alert(1)</script>\u202egpj.exe"
	mails, err := notify.Compose(e, base)
	if err != nil {
		t.Fatal(err)
	}
	m := mails[0]
	if strings.ContainsAny(m.Subject, "\r\n\u202e") {
		t.Errorf("the subject has more than one line: %q", m.Subject)
	}
	if strings.Contains(m.HTML, "<script") {
		t.Error("markup from outside is markup in the mail")
	}
	if strings.Contains(m.Text, "\nBcc:") {
		t.Errorf("a name broke the line:\n%s", m.Text)
	}
}

func TestLanguagesHaveTheSameWords(t *testing.T) {
	t.Parallel()
	names := map[string]map[string]bool{}
	for _, language := range notify.Languages() {
		names[language] = map[string]bool{}
		for _, one := range template.Must(template.ParseGlob(filepath.Join("letters", "*."+language+".tmpl"))).Templates() {
			if !strings.HasSuffix(one.Name(), ".tmpl") {
				names[language][one.Name()] = true
			}
		}
	}
	if diff := cmp.Diff(names["en"], names["zh"]); diff != "" {
		t.Errorf("words differ (-en +zh):\n%s", diff)
	}
}

func TestEverySiteHasAChineseName(t *testing.T) {
	t.Parallel()
	for _, s := range site.All() {
		mails, err := notify.Compose(account.Registered{Site: s.ID, Email: "a@example.com", Language: "zh", RegisteredAt: at}, base)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(mails[0].Text, s.Name) {
			t.Errorf("site %s is called %q in a Chinese mail", s.ID, s.Name)
		}
	}
}

// unlinked are the mails whose reader has nowhere to go: a code is typed where
// it was asked for, and of what is over nothing is left.
var unlinked = []notify.Kind{notify.Code, notify.DataDeleted, notify.WorkspaceDissolved}

// TestEveryMailLeadsWhereItsReaderActs checks that each mail has a link in both
// of its forms, and none where the installation's address is not known.
func TestEveryMailLeadsWhereItsReaderActs(t *testing.T) {
	t.Parallel()
	for _, language := range notify.Languages() {
		for name, event := range events(language) {
			mails, err := notify.Compose(event, base+"/")
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range mails {
				want := !slices.Contains(unlinked, m.Kind)
				if strings.Contains(m.Text, ": "+base+"/") != (want && language == "en") && language == "en" || strings.Contains(m.HTML, `href="`+base+"/") != want {
					t.Errorf("%s in %s to %s: a link is there, or is not", name, language, m.To)
				}
				if strings.Contains(m.Text, base+"//") {
					t.Errorf("%s in %s: a slash too many", name, language)
				}
			}
			bare, err := notify.Compose(event, "")
			if err != nil || strings.Contains(bare[0].Text+bare[0].HTML, "/studio/") {
				t.Errorf("%s in %s without an address: %v", name, language, err)
			}
		}
	}
}
