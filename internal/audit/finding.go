package audit

// Finding is one place where the books do not hold what they promise.
type Finding struct {
	Invariant string // I1 to I13, as the architecture lists them
	Subject   string // the ID of what is wrong
	Detail    string // what was expected and what was found
}

// String is the line that verify prints.
func (f Finding) String() string { return f.Invariant + " " + f.Subject + ": " + f.Detail }
