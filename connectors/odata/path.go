package odata

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gantry/connectors/template"
)

// resource is a path from a service's root: Orders, Orders(:id)/Lines, Orders(:id)/com.example.approve.
type resource []segment

type segment struct {
	name string
	keys []key // of one record; empty: the set, or what is related
}

// key is one value of a record's key.
type key struct {
	name  string // "": the key's only property
	param string // "": value
	outer bool   // the parameter is the record's, not the member's
	value any    // a constant: bool, int64 or string
}

var (
	parameterName = regexp.MustCompile(`^:[a-z][a-z0-9_]*$`)
	rootName      = regexp.MustCompile(`^[A-Za-z0-9_.~;=,-]+$`)
	resourceName  = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$`)
	keyValue      = regexp.MustCompile(`^(?:(\w+)=)?(?::(\^?)([a-z][a-z0-9_]*)|(true|false)|(-?\d{1,18})|'([^'/(),]*)')$`)
)

const maxSegments = 8

// compilePath reads a path. outer names the parameters of what is around a batch's member; nil where nothing is.
func compilePath(path string, names, outer *template.Compiler) (resource, error) {
	parts := strings.Split(path, "/")
	if len(parts) > maxSegments {
		return nil, fmt.Errorf("the path has more than %d segments", maxSegments)
	}
	var out resource
	for _, part := range parts {
		name, rest, keyed := strings.Cut(part, "(")
		if !resourceName.MatchString(name) {
			return nil, fmt.Errorf("%q is no segment of a path: a set, what is related, or an action, and perhaps (:key)", part)
		}
		s := segment{name: name}
		if keyed {
			inner, closed := strings.CutSuffix(rest, ")")
			if !closed {
				return nil, fmt.Errorf("%q: the key does not end", part)
			}
			var err error
			if s.keys, err = compileKeys(inner, names, outer); err != nil {
				return nil, fmt.Errorf("%q: %w", part, err)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

func compileKeys(text string, names, outer *template.Compiler) ([]key, error) {
	var out []key
	for one := range strings.SplitSeq(text, ",") {
		m := keyValue.FindStringSubmatch(strings.TrimSpace(one))
		if m == nil {
			return nil, fmt.Errorf("%q is no key: :parameter, Name=:parameter, or a constant true, 7 or 'text'", one)
		}
		k := key{name: m[1], outer: m[2] != "", param: m[3]}
		switch {
		case k.outer && outer == nil:
			return nil, errors.New(":^ is for a batch's member of a list")
		case k.outer:
			need(outer, k.param)
		case k.param != "":
			need(names, k.param)
		case m[4] != "":
			k.value = m[4] == "true"
		case m[5] != "":
			k.value, _ = strconv.ParseInt(m[5], 10, 64)
		default:
			k.value = m[6]
		}
		out = append(out, k)
	}
	for _, k := range out {
		if k.name == "" && len(out) > 1 {
			return nil, errors.New("of more than one value, each has its property's name")
		}
	}
	return out, nil
}
