// Package notify turns what happened into mails and hands them to a mail
// server. It owns the words of every mail, in English and Chinese, and the
// SMTP dialogue. It does not own the events, which their nouns declare, nor
// the outbox, which the store keeps.
//
// Always true: a mail is complete before it leaves the transaction that caused
// it, so sending it again sends the same bytes; its Message-ID is its own ID,
// so a redelivery can be recognised; and no text from outside reaches a header
// with a line break in it.
package notify

import (
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/alert"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// Kind says what a mail is about; it names its words and is its
// X-Tollgate-Kind header.
type Kind string

// The kinds (domain section 14).
const (
	Code             Kind = "code"              // mail 1
	StudioRegistered Kind = "studio_registered" // the account exists
	BillingOpened    Kind = "billing_registered"
	OpeningReminder  Kind = "opening_reminder" // mail 2
	Invitation       Kind = "invitation"       // mail 8
	CashCredited     Kind = "cash_credited"    // a receipt, by our choice
	CashReversed     Kind = "cash_reversed"    // its opposite
	StatementIssued  Kind = "statement_issued" // mail 3
	PackageBought    Kind = "package_bought"   // a receipt, by our choice
	PackageUpgraded  Kind = "package_upgraded"
	PackageExpiring  Kind = "package_expiring" // by our choice, 30 days and 1 day before
	HighConsumption  Kind = "high_consumption" // mail 7

	CertificationCertified Kind = "certification_certified" // by our choice
	CertificationRejected  Kind = "certification_rejected"
	AccountSecured         Kind = "account_secured"     // password, address or phone were changed, by our choice
	ArrearsStarted         Kind = "arrears_started"     // the fourteen days run; mail 5 of a cloud
	ArrearsReminder        Kind = "arrears_reminder"    // mail 4
	WorkspaceLocked        Kind = "workspace_locked"    // and what follows by our choice
	WorkspaceUnlocked      Kind = "workspace_unlocked"  // also when it never came to the lock
	TimeGranted            Kind = "time_granted"        // by the operator
	DataDeleted            Kind = "data_deleted"        // after a lock or a dissolution
	WorkspaceDissolved     Kind = "workspace_dissolved" // by its Owner
	InvoiceRequested       Kind = "invoice_requested"
	InvoiceIssued          Kind = "invoice_issued"
	InvoiceSent            Kind = "invoice_sent"
	InvoiceRejected        Kind = "invoice_rejected"
	InvoiceWithdrawn       Kind = "invoice_withdrawn"

	InvitedGuest      Kind = "invited_guest" // mail 8, to somebody without an account
	PromotionAnswered Kind = "promotion_answered"
	OwnershipOffered  Kind = "ownership_offered"
	OwnerChanged      Kind = "owner_changed"
	Rebound           Kind = "rebound"

	SettlementMoved Kind = "settlement_moved" // mail 6, and a renewed subscription's by our choice
	UsageLate       Kind = "usage_late"       // to operators
	UsageLost       Kind = "usage_lost"
)

// Mail is one message to one address, ready to send.
type Mail struct {
	ID        string
	Kind      Kind
	To        string
	Language  string
	Subject   string
	Text      string
	HTML      string
	CreatedAt time.Time
}

// Deliver is the job that sends the mail of that ID from the outbox.
type Deliver struct {
	MailID string `json:"mail_id"`
}

// Kind names the job for the queue.
func (Deliver) Kind() string { return "mail.deliver" }

// Compose gives the mails that an event of the business causes, with links to
// the consoles at the base address; without one they have none. An event that
// no mail belongs to is a programmer's mistake.
func Compose(event any, base string) ([]Mail, error) {
	var letters []letter
	switch e := event.(type) {
	case account.CodeSent:
		letters = codeSent(e)
	case account.Registered:
		letters = registered(e)
	case upgrade.Opened:
		letters = opened(e)
	case workspace.MemberAdded:
		letters = memberAdded(e)
	case wallet.CashCredited:
		letters = cashCredited(e)
	case wallet.TransferRejected:
		letters = transferRejected(e)
	case wallet.CashReversed:
		letters = cashReversed(e)
	case statement.Issued:
		letters = statementIssued(e)
	case wallet.BalanceAdjusted:
		letters = balanceAdjusted(e)
	case wallet.SourceIssued:
		letters = sourceIssued(e)
	case wallet.SourcesExpiring:
		letters = sourcesExpiring(e)
	case wallet.SourceLapsed:
		letters = sourceLapsed(e)
	case prepaid.Receipt:
		letters = packageBought(e)
	case prepaid.Expiring:
		letters = packageExpiring(e)
	case arrears.Began:
		letters = began(e)
	case arrears.Reminded:
		letters = reminded(e)
	case arrears.Locked:
		letters = locked(e)
	case arrears.Ended:
		letters = ended(e)
	case arrears.Granted:
		letters = granted(e)
	case arrears.Cleared:
		letters = cleared(e)
	case arrears.Dissolved:
		letters = dissolved(e)
	case alert.Exceeded:
		letters = highConsumption(e)
	case account.CertificationDecided:
		letters = certificationDecided(e)
	case invoice.Moved:
		letters = invoiceMoved(e)
	default:
		if letters = append(ofPeople(event), ofMarketplaces(event)...); letters == nil {
			return nil, fmt.Errorf("no mail is written for a %T", event)
		}
	}
	linked(event, letters)
	return written(letters, base)
}

// written gives each letter its words and a name.
func written(letters []letter, base string) ([]Mail, error) {
	mails := make([]Mail, 0, len(letters))
	for _, l := range letters {
		m, err := l.write(base)
		if err != nil {
			return nil, fmt.Errorf("writing the mail %s in %s: %w", l.kind, l.language, err)
		}
		m.ID = id.New(id.Mail)
		mails = append(mails, m)
	}
	return mails, nil
}

// codeConcerns is the label of what a code confirms.
var codeConcerns = map[account.Purpose]string{
	account.ForStudio:  "user_name",
	account.ForBilling: "user_name",
	account.ForUpgrade: "workspace",
	account.ForBinding: "workspace",
	account.ForReset:   "user_name",

	account.ForRebinding:  "workspace",
	account.ForTakingOver: "workspace",
	account.ForDissolving: "workspace",
	account.ForOpening:    "workspace",

	account.ForPresentAddress: "new_email",
	account.ForNewAddress:     "user_name",
	account.ForPhone:          "new_phone",
}

func codeSent(e account.CodeSent) []letter {
	l := letter{kind: Code, to: e.Email, language: e.Language, at: e.ExpiresAt.Add(-account.CodeLife), code: e.Digits,
		words: map[string]any{
			"Purpose": string(e.Purpose), "Digits": e.Digits, "For": e.For, "Minutes": int(account.CodeLife.Minutes()),
		}}
	if label, ok := codeConcerns[e.Purpose]; ok && e.For != "" {
		l.facts = append(l.facts, fact{label, e.For})
	} else if e.Purpose == account.ForPhone {
		l.facts = append(l.facts, fact{"new_phone", "–"}) // it is removed
	}
	if e.Site != "" {
		l.facts = append(l.facts, fact{"site", siteName(e.Site, e.Language)})
	}
	if e.By != "" {
		l.facts = append(l.facts, fact{"billing_account", e.By})
	}
	return []letter{l}
}

func registered(e account.Registered) []letter {
	l := letter{kind: BillingOpened, to: e.Email, language: e.Language, at: e.RegisteredAt,
		facts: []fact{{"user_name", e.UserName}, {"email", e.Email}}}
	if e.Site != "" {
		l.kind = StudioRegistered
		l.facts = []fact{{"site", siteName(e.Site, e.Language)}, {"email", e.Email}}
	}
	return []letter{l}
}

// opened writes to the payer and to the Owner, once when they are one person.
func opened(e upgrade.Opened) []letter {
	facts := func(language string) []fact {
		return []fact{
			{"workspace", e.WorkspaceName},
			{"workspace_id", e.WorkspaceID},
			{"site", siteName(e.Site, language)},
			{"plan", planName(e.Plan, language)},
			{"billing_account", e.BillingUserName},
			{"start", localTime(e.StartedAt, e.Site)},
		}
	}
	words := map[string]any{"Workspace": e.WorkspaceName}
	payer := letter{kind: OpeningReminder, to: e.BillingEmail, language: e.BillingLanguage, at: e.StartedAt, words: words, facts: facts(e.BillingLanguage)}
	payer.links = openedLinks(e, true, e.OwnerEmail == e.BillingEmail)
	if e.OwnerEmail == e.BillingEmail || e.OwnerEmail == "" {
		return []letter{payer}
	}
	owner := payer
	owner.to, owner.language, owner.facts = e.OwnerEmail, e.OwnerLanguage, facts(e.OwnerLanguage)
	owner.links = openedLinks(e, false, true)
	return []letter{payer, owner}
}

func memberAdded(e workspace.MemberAdded) []letter {
	return []letter{{kind: Invitation, to: e.Email, language: e.Language, at: e.AddedAt,
		words: map[string]any{"Workspace": e.WorkspaceName, "InvitedBy": e.InvitedBy},
		facts: []fact{
			{"workspace", e.WorkspaceName},
			{"workspace_id", e.WorkspaceID},
			{"site", siteName(e.Site, e.Language)},
			{"role", roleName(e.Role, e.Language)},
		}}}
}

func cashCredited(e wallet.CashCredited) []letter {
	facts := append([]fact{{"billing_account", e.UserName}, {"amount", sum(e.Amount)}}, difference(e)...)
	if e.PaidDebt.Sign() > 0 {
		facts = append(facts, fact{"paid_debt", sum(e.PaidDebt)})
	}
	facts = append(facts, fact{"balance", sum(e.Cash)})
	if e.Owed.Sign() > 0 {
		facts = append(facts, fact{"owed", sum(e.Owed)})
	}
	facts = append(facts, cameBy(e.Channel, e.Reference, e.Language)...)
	facts = append(facts, fact{"credited", billingTime(e.CreditedAt, e.Amount.Currency())})
	return []letter{{kind: CashCredited, to: e.Email, language: e.Language, at: e.CreditedAt, facts: facts,
		words: map[string]any{"Amount": sum(e.Amount), "Owed": e.Owed.Sign() > 0}}}
}

// cameBy names the channel and what the channel calls the money.
func cameBy(channel, reference, language string) (facts []fact) {
	if channel != "" {
		facts = append(facts, fact{"channel", channelName(channel, language)})
	}
	if reference != "" {
		facts = append(facts, fact{"reference", reference})
	}
	return facts
}

func cashReversed(e wallet.CashReversed) []letter {
	facts := []fact{{"billing_account", e.UserName}, {"amount", sum(e.Amount)}}
	if e.Debt.Sign() > 0 {
		facts = append(facts, fact{"became_debt", sum(e.Debt)})
	}
	facts = append(facts, fact{"balance", sum(e.Cash)})
	if e.Owed.Sign() > 0 {
		facts = append(facts, fact{"owed", sum(e.Owed)})
	}
	facts = append(facts, cameBy(e.Channel, e.Reference, e.Language)...)
	facts = append(facts, fact{"reversed", billingTime(e.ReversedAt, e.Amount.Currency())})
	return []letter{{kind: CashReversed, to: e.Email, language: e.Language, at: e.ReversedAt, facts: facts,
		words: map[string]any{"Amount": sum(e.Amount), "Debt": e.Debt.Sign() > 0, "Disputed": e.Kind == wallet.Chargeback}}}
}

// sum is an amount with its currency: CNY 12.50.
func sum(a money.Amount) string { return string(a.Currency()) + " " + a.String() }
