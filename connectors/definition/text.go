package definition

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
)

// Bounds of the functions on strings. CEL counts the cost of a call after it was made, and these make of two strings that a
// caller may send one as long as their product: what they would give is reckoned before they are called.
const (
	maxText  = 1 << 20 // bytes that a call may give
	maxParts = 10_000  // parts into which a string may be cut
)

// stringFunctions are those of CEL's extension up to `substring` and `trim`, without `format` and `quote`: a template does that.
func stringFunctions() cel.EnvOption {
	text, list := cel.StringType, cel.ListType(cel.StringType)
	return cel.Lib(library{
		ext.Strings(ext.StringsVersion(0)),
		cel.Function("replace", cel.MemberOverload("string_replace_string_string", []*cel.Type{text, text, text}, text,
			cel.FunctionBinding(func(args ...ref.Val) ref.Val { return replace(args, -1) })),
			cel.MemberOverload("string_replace_string_string_int", []*cel.Type{text, text, text, cel.IntType}, text,
				cel.FunctionBinding(func(args ...ref.Val) ref.Val { return replace(args, int(args[3].(types.Int))) }))),
		cel.Function("split", cel.MemberOverload("string_split_string", []*cel.Type{text, text}, list,
			cel.BinaryBinding(func(s, separator ref.Val) ref.Val { return split(s, separator, -1) })),
			cel.MemberOverload("string_split_string_int", []*cel.Type{text, text, cel.IntType}, list,
				cel.FunctionBinding(func(args ...ref.Val) ref.Val { return split(args[0], args[1], int(args[2].(types.Int))) }))),
		cel.Function("join", cel.MemberOverload("list_join", []*cel.Type{list}, text,
			cel.UnaryBinding(func(parts ref.Val) ref.Val { return join(parts, types.String("")) })),
			cel.MemberOverload("list_join_string", []*cel.Type{list, text}, text, cel.BinaryBinding(join))),
	})
}

// library makes several options one.
type library []cel.EnvOption

func (l library) CompileOptions() []cel.EnvOption     { return l }
func (l library) ProgramOptions() []cel.ProgramOption { return nil }

func replace(args []ref.Val, most int) ref.Val {
	s, old, with := string(args[0].(types.String)), string(args[1].(types.String)), string(args[2].(types.String))
	found := strings.Count(s, old)
	if most >= 0 {
		found = min(found, most)
	}
	if len(s)+found*max(len(with)-len(old), 0) > maxText {
		return tooLong("replace")
	}
	return types.String(strings.Replace(s, old, with, most))
}

func split(s, separator ref.Val, most int) ref.Val {
	text, between := string(s.(types.String)), string(separator.(types.String))
	if most > maxParts || most < 0 && strings.Count(text, between) >= maxParts {
		return types.NewErr("split: more than %d parts", maxParts)
	}
	return types.DefaultTypeAdapter.NativeToValue(strings.SplitN(text, between, most))
}

func join(list, separator ref.Val) ref.Val {
	var out strings.Builder
	between := string(separator.(types.String))
	for parts, first := list.(traits.Lister).Iterator(), true; parts.HasNext() == types.True; first = false {
		part, ok := parts.Next().(types.String)
		switch {
		case !ok:
			return types.NewErr("join: a part is no string")
		case out.Len()+len(between)+len(part) > maxText:
			return tooLong("join")
		case !first:
			out.WriteString(between)
		}
		out.WriteString(string(part))
	}
	return types.String(out.String())
}

func tooLong(function string) ref.Val {
	return types.WrapErr(fmt.Errorf("%s: the text would be longer than %d bytes", function, maxText))
}
