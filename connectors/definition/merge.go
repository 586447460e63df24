package definition

// merge lays upper over lower and gives the result; neither is changed. Maps merge member by member, and a null takes a
// member away. Lists whose members all have an `id` merge by it, new members coming before those of the layer below:
// in `errors` and `rules` the first match wins, and the product knows better than its base. All else is replaced.
func merge(lower, upper *node) *node {
	switch {
	case lower == nil:
		return prune(upper)
	case lower.isMap() && upper.isMap():
		return mergeMaps(lower, upper)
	case lower.isList() && upper.isList() && byID(lower) && byID(upper):
		return mergeLists(lower, upper)
	}
	return prune(upper)
}

func mergeMaps(lower, upper *node) *node {
	out := &node{file: upper.file, line: upper.line, members: map[string]*node{}}
	for _, key := range lower.keys {
		if over, there := upper.members[key]; !there {
			out.set(key, lower.members[key])
		} else if !over.isNull() {
			out.set(key, merge(lower.members[key], over))
		}
	}
	for _, key := range upper.keys {
		if member := upper.members[key]; lower.members[key] == nil && !member.isNull() {
			out.set(key, prune(member))
		}
	}
	return out
}

func mergeLists(lower, upper *node) *node {
	over := map[string]*node{}
	for _, item := range upper.items {
		over[item.text("id")] = item
	}
	kept := []*node{}
	for _, item := range lower.items {
		if u, there := over[item.text("id")]; there {
			item = merge(item, u)
			delete(over, item.text("id"))
		}
		kept = append(kept, item)
	}
	fresh := []*node{}
	for _, item := range upper.items {
		if _, isNew := over[item.text("id")]; isNew {
			fresh = append(fresh, prune(item))
		}
	}
	return &node{file: upper.file, line: upper.line, items: append(fresh, kept...)}
}

// prune drops the nulls of maps: there is nothing below that they could take away.
func prune(n *node) *node {
	if !n.isMap() {
		return n
	}
	out := &node{file: n.file, line: n.line, members: map[string]*node{}}
	for _, key := range n.keys {
		if member := n.members[key]; !member.isNull() {
			out.set(key, prune(member))
		}
	}
	return out
}

func byID(list *node) bool {
	seen := map[string]bool{}
	for _, item := range list.items {
		id := item.text("id")
		if id == "" || seen[id] {
			return false
		}
		seen[id] = true
	}
	return true
}
