package status

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gantry/tunnel/fault"
)

// verb is an operation in words.
type verb struct{ gerund, infinitive string }

func gerund(v verb) string     { return v.gerund }
func infinitive(v verb) string { return v.infinitive }

// verbOf gives the words for an operation; every other name is an action's.
func verbOf(operation string) (v verb, action bool) {
	switch operation {
	case "list", "get":
		return verb{"reading", "read"}, false
	case "create":
		return verb{"creating", "create"}, false
	case "update":
		return verb{"changing", "change"}, false
	case "delete":
		return verb{"deleting", "delete"}, false
	}
	return verb{"running `" + operation + "` on", "run `" + operation + "` on"}, true
}

// mostNames is how many entities, and how many things that are done to them, are named together.
const mostNames = 4

// doing says what cells do: "reading and creating items, and reading vendors and assets".
func doing(cells []cell, form func(verb) string, and string) string {
	var said []string
	for _, same := range grouped(deeds(cells, form, and), func(d deed) string { return d.words }) {
		var names []string
		for _, d := range same {
			names = append(names, strings.ReplaceAll(d.entity, "-", " "))
		}
		if more := len(names) - mostNames; more > 0 {
			names = append(names[:mostNames], fmt.Sprintf("%d other entities", more))
		}
		said = append(said, same[0].words+" "+enumerate(names, and))
	}
	if more := len(said) - mostNames; more > 0 {
		said = append(said[:mostNames], fmt.Sprintf("%d other things", more))
	}
	return enumerate(said, ","+and)
}

// deed is what is done to one entity.
type deed struct{ words, entity string }

// deeds puts the operations on each entity together; an action has words of its own.
func deeds(cells []cell, form func(verb) string, and string) []deed {
	var all, actions []deed
	for _, group := range grouped(cells, func(c cell) string { return c.entity }) {
		var words []string
		for _, c := range group {
			v, action := verbOf(c.name)
			switch word := form(v); {
			case action:
				actions = append(actions, deed{word, c.entity})
			case !slices.Contains(words, word):
				words = append(words, word)
			}
		}
		if len(words) > 0 {
			all = append(all, deed{enumerate(words, and), group[0].entity})
		}
	}
	return append(all, actions...)
}

// enumerate joins words: "a, b and c".
func enumerate(words []string, and string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + and + words[last]
}

// plain says why something fails.
func plain(f *failure) string {
	if f == nil {
		return "the reason is not known"
	}
	return plainCode(fault.Code(f.Code)) + detail(f)
}

func plainCode(code fault.Code) string {
	switch code {
	case fault.PermissionDenied:
		return "permission denied"
	case fault.PolicyDenied:
		return "the plant's policy forbids it"
	case fault.SystemTimeout:
		return "the system does not answer in time"
	case fault.SystemUnreachable:
		return "the system cannot be reached"
	case fault.SystemRateLimited:
		return "the system asks for fewer calls"
	case fault.SystemError:
		return "the system answers with an error"
	case fault.Internal:
		return "a fault of Gantry's own"
	}
	return lower(code.Spec().Title)
}

// detail is what is known beyond the code, in parentheses.
func detail(f *failure) string {
	if f == nil || f.Detail == "" {
		return ""
	}
	return " (" + strings.TrimSuffix(f.Detail, ".") + ")"
}

// advice says what to do.
func advice(f *failure) string {
	switch {
	case f == nil:
		return ""
	case f.Code == string(fault.PermissionDenied):
		return " Ask the system's administrator to give the login the right again."
	case f.Code == string(fault.SystemTimeout):
		return " The system is slow or overloaded: ask its administrator; narrower queries may pass."
	case f.Code == string(fault.SystemError):
		return " Ask the system's administrator what is wrong with it."
	case f.Code == string(fault.Internal) && f.RequestID != "":
		return " Quote the request " + f.RequestID + " to Gantry's support."
	}
	if text := fault.Code(f.Code).Spec().Advice; text != "" {
		return " " + text
	}
	return ""
}

func upper(s string) string { return recased(s, unicode.ToUpper) }
func lower(s string) string { return recased(s, unicode.ToLower) }

// recased changes the case of the first letter.
func recased(s string, change func(rune) rune) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(change(r)) + s[size:]
}
