package sqldriver

import "strings"

// kinds tell by the beginning of a type's name what a column holds. The longest beginning counts.
var kinds = map[string]string{
	"int": "integer", "integer": "integer", "smallint": "integer", "bigint": "integer", "tinyint": "integer", "mediumint": "integer",
	"serial": "integer", "bigserial": "integer", "smallserial": "integer", "year": "integer",
	"interval": "string", "inet": "string",
	"numeric": "decimal", "decimal": "decimal", "number": "decimal", "money": "decimal", "smallmoney": "decimal",
	"float": "float", "real": "float", "double": "float", "binary_float": "float", "binary_double": "float",
	"char": "string", "nchar": "string", "varchar": "string", "nvarchar": "string", "character": "string", "text": "string", "ntext": "string",
	"tinytext": "string", "mediumtext": "string", "longtext": "string", "clob": "string", "nclob": "string", "citext": "string",
	"uuid": "string", "uniqueidentifier": "string", "enum": "string", "set": "string", "json": "string", "xml": "string", "name": "string", "time": "string",
	"bool": "boolean", "boolean": "boolean",
	"date": "date", "datetime": "datetime", "smalldatetime": "datetime", "timestamp": "datetime", "datetimeoffset": "instant", "timestamptz": "instant",
}

// nativeOf gives what a column of a type holds, in the words of definitions; "": no field can hold it.
func nativeOf(d dialect, declared string) string {
	t := strings.ToLower(strings.TrimSpace(declared))
	if own, known := d.holds(t); known {
		return own
	}
	if strings.HasSuffix(t, "[]") {
		return ""
	}
	if strings.HasPrefix(t, "timestamp") && (strings.Contains(t, "with time zone") || strings.Contains(t, "with local time zone")) {
		return "instant"
	}
	end := strings.IndexFunc(t, func(c rune) bool { return (c < 'a' || c > 'z') && c != '_' })
	if end < 0 {
		end = len(t)
	}
	return kinds[t[:end]]
}
