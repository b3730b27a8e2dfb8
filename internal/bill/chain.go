package bill

// chain is the bills of one workspace as they hold on to each other. They
// follow in the order in which they were made: a day that was parked is billed
// after later ones.
type chain struct {
	workspaceID string
	links       []link
	next        map[string]int // by the hash of the bill before: which link follows
}

type link struct{ id, previous, hash string }

// link takes a bill; that of another workspace ends the chain before.
func (c *Check) link(workspaceID string, l link) {
	if c.chain.workspaceID != workspaceID {
		c.settle()
		c.chain = chain{workspaceID: workspaceID, next: map[string]int{}}
	}
	if _, taken := c.chain.next[l.previous]; !taken {
		c.chain.next[l.previous] = len(c.chain.links)
	}
	c.chain.links = append(c.chain.links, l)
}

// settle walks the chain from the first bill on. What is not met does not hold
// the hash of the one before it.
func (c *Check) settle() {
	met := make([]bool, len(c.chain.links))
	end := ""
	for i, follows := c.chain.next[end]; follows && !met[i]; i, follows = c.chain.next[end] {
		met[i], end = true, c.chain.links[i].hash
	}
	for i, l := range c.chain.links {
		if !met[i] {
			c.find("I6", l.id, "it does not hold the hash of the workspace's bill before")
		}
	}
	if c.chain.workspaceID != "" {
		c.heads[c.chain.workspaceID] = end
	}
	c.chain = chain{}
}
