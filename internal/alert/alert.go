// Package alert warns of high consumption: when what a day's bill charges for
// an item, or in total, is more than a threshold, a mail goes to those who
// chose to know (domain section 9). It owns the rules of a workspace, who
// receives their mails, and the decision; it does not own bills, nor the words
// of the mail.
//
// Always true: a mail goes out when an amount is strictly greater than its
// threshold, and once per workspace, item and bill day; the Owner always
// receives it.
package alert

import (
	"errors"
	"slices"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/workspace"
)

// Faults of alerts.
var (
	ErrItem       = fault.New(fault.Invalid, "alert_item", "Choose the total, or a billing item that is billed here.")
	ErrThreshold  = fault.New(fault.Invalid, "alert_threshold", "A threshold is above zero.")
	ErrTooHigh    = fault.New(fault.Invalid, "alert_threshold_too_high", "No daily bill is higher than 10,000,000.00; choose a threshold below.")
	ErrMember     = fault.New(fault.Invalid, "alert_member", "This person is not a member of the workspace.")
	ErrAddresses  = fault.New(fault.Invalid, "alert_addresses", "An alert goes to at most 20 outside addresses.")
	ErrTwice      = fault.New(fault.Invalid, "alert_twice", "There is one alert for each item. Name it once.")
	ErrUnknown    = fault.New(fault.NotFound, "alert_unknown", "There is no alert for this item.")
	ErrExperience = fault.New(fault.Conflict, "alert_experience", "High-consumption alerts are a part of the Commercial plan.")
)

// Total stands for all items together.
const Total = "total"

// MostAddresses bounds the outside addresses of one alert.
const MostAddresses = 20

// mostTyped bounds what is looked at of a list of addresses.
const mostTyped = 200

// Rule is one alert: an item, or the total, and its threshold.
type Rule struct {
	Item           string
	Threshold      money.Amount
	Administrators bool     // all of them receive it, whoever they are by then
	Members        []string // accounts that receive it
	Addresses      []string // outside of the workspace
}

// Alert is a rule that a bill broke.
type Alert struct {
	Rule
	Amount money.Amount
}

// Decide lists the rules that a bill breaks. A rule in another currency than
// the bill's cannot be compared and is silent.
func Decide(rules []Rule, b bill.Bill) ([]Alert, error) {
	var broken []Alert
	for _, r := range rules {
		if r.Threshold.Currency() != b.Market.Currency {
			continue
		}
		amount, err := charged(b, r.Item)
		if err != nil {
			return nil, err
		}
		if amount.Minor() > r.Threshold.Minor() {
			broken = append(broken, Alert{r, amount})
		}
	}
	return broken, nil
}

// charged is what a bill charges for an item, in all classes, or in total.
func charged(b bill.Bill, item string) (money.Amount, error) {
	if item == Total {
		return b.Total, nil
	}
	sum := money.Of(0, b.Market.Currency)
	for _, l := range b.Lines {
		if l.Item != item {
			continue
		}
		var err error
		if sum, err = sum.Add(l.Amount); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// Member is one of a workspace's team, as far as a mail needs it.
type Member struct {
	AccountID string
	Role      workspace.Role
	UserName  string
	Email     string
	Language  string
}

// Recipient is an address that a mail goes to, and its language.
type Recipient struct{ Email, Language string }

// Recipients are those who get the mail of a rule, each address once: the
// Owner, the chosen ones who are still members, and outside addresses in the
// workspace's language.
func (r Rule) Recipients(w workspace.Workspace, team []Member) []Recipient {
	var list []Recipient
	add := func(email, language string) {
		normal, err := account.NormalEmail(email)
		if err != nil || slices.ContainsFunc(list, func(known Recipient) bool { return known.Email == normal }) {
			return
		}
		list = append(list, Recipient{normal, language})
	}
	for _, m := range team {
		if m.Role == workspace.Owner || r.Administrators && m.Role == workspace.Administrator || slices.Contains(r.Members, m.AccountID) {
			add(m.Email, m.Language)
		}
	}
	for _, address := range r.Addresses {
		add(address, w.Language)
	}
	return list
}

// Typed is a rule as it is set, before it is checked.
type Typed struct {
	Item           string
	Threshold      string
	Administrators bool
	Members        []string
	Addresses      []string
}

// Check makes the rule, or names every field that is wrong. The market is the
// payer's, so that the threshold is in the currency of the bills.
func (t Typed) Check(v *catalog.Version, m catalog.Market, team []Member) (Rule, error) {
	r := Rule{Item: t.Item, Administrators: t.Administrators}
	var wrong fault.Fields
	if !Offered(v, m, t.Item) {
		wrong = append(wrong, ErrItem.On("item"))
	}
	var err error
	switch r.Threshold, err = money.Parse(t.Threshold, m.Currency); {
	case err == nil:
		err = inBounds(r.Threshold)
	case errors.Is(err, quantity.ErrTooLarge), errors.Is(err, money.ErrOverflow):
		err = ErrTooHigh
	}
	if err != nil {
		wrong = append(wrong, fault.From(err).On("threshold"))
	}
	for _, id := range t.Members {
		if !slices.ContainsFunc(team, func(m Member) bool { return m.AccountID == id }) {
			wrong = append(wrong, ErrMember.On("members"))
			break
		}
		if !slices.Contains(r.Members, id) {
			r.Members = append(r.Members, id)
		}
	}
	if r.Addresses, err = addresses(t.Addresses); err != nil {
		wrong = append(wrong, fault.From(err).On("addresses"))
	}
	return r, wrong.OrNil()
}

func inBounds(threshold money.Amount) error {
	switch {
	case threshold.Sign() <= 0:
		return ErrThreshold
	case threshold.Minor() >= bill.MostADay:
		return ErrTooHigh
	}
	return nil
}

func addresses(typed []string) ([]string, error) {
	var list []string
	if len(typed) > mostTyped {
		return nil, ErrAddresses
	}
	for _, text := range typed {
		address, err := account.NormalEmail(text)
		if err != nil {
			return nil, account.ErrEmailForm.Says("%q is not an e-mail address such as name@example.com.", clip(text)).With("text", clip(text))
		}
		if !slices.Contains(list, address) {
			list = append(list, address)
		}
	}
	if len(list) > MostAddresses {
		return nil, ErrAddresses
	}
	return list, nil
}

// longestShown bounds what is repeated of a wrong address.
const longestShown = 60

func clip(text string) string {
	if runes := []rune(text); len(runes) > longestShown {
		return string(runes[:longestShown]) + "…"
	}
	return text
}

// Offered reports whether an alert can be set for the item: the total, or what
// a bill of the market can hold.
func Offered(v *catalog.Version, m catalog.Market, item string) bool {
	if item == Total {
		return true
	}
	it, err := v.Item(item)
	return err == nil && it.PayAsYouGo && !it.OperatorSwitch && it.SoldIn(m)
}
