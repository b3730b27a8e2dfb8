// Package studio is the console of a team on one site: registration, the
// workspace's collectors, records, plan, usage and bills, the upgrade to the
// Commercial plan, and settings.
//
// It owns the pages and what each asks of whom. It owns no rule: every change
// is one call of a noun in one transaction. It does not own the payer's pages,
// which are the Billing Center's.
//
// Always true: whoever is not a member of a workspace does not learn that it
// exists; what a role may do is asked before a handler runs and again in the
// transaction that does it.
package studio
