package files

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"gantry/connectors"
	"gantry/connectors/markup"
)

// format is how a file is divided into records and fields.
type format string

const (
	formatCSV   format = "csv"
	formatFixed format = "fixed"
	formatXML   format = "xml"
)

// layoutSpec is how a file looks, as the definition says it.
type layoutSpec struct {
	format    format
	encoding  option
	separator option
	decimal   option
	dates     option
	datetimes option
	quotes    bool
	gzip      bool
	header    bool
	names     []string // of the header, in order
	skip      int
	trailer   string
	records   *markup.Route
	newline   string           // of a write: crlf or lf
	document  *markup.Template // of a write of XML
	written   string           // the document as its author wrote it
}

// layout is how the files of one call look.
type layout struct {
	*layoutSpec
	encoding  encoding.Encoding // nil: UTF-8
	label     string            // its name
	separator rune
	decimal   byte
	date      string // as package time has it
	datetime  string
}

func (m *members) layout() {
	l := &m.s.layout
	l.format = format(m.word("format", string(formatCSV), string(formatFixed), string(formatXML)))
	l.encoding, l.separator = m.option("encoding", "utf-8"), m.option("separator", ",")
	l.decimal = m.option("decimal", ".")
	l.dates, l.datetimes = m.option("dates", "YYYY-MM-DD"), m.option("datetimes", "YYYY-MM-DD HH:mm:SS")
	l.quotes = m.word("quotes", "double", "none") == "double"
	l.gzip = m.word("compression", "none", "gzip") == "gzip"
	l.header = l.format == formatCSV
	switch v := m.native["header"].(type) {
	case nil:
	case bool:
		l.header = v
	default:
		l.names = m.words("header")
	}
	if v, there := m.native["skip"]; there {
		n, ok := whole(v)
		if l.skip = n; !ok || n < 0 || n > 1000 {
			m.problem("skip: must be a number of lines, up to 1000")
		}
	}
	if v, there := m.native["trailer"]; there {
		l.trailer, _ = v.(string)
		if l.trailer == "" || l.format == formatXML {
			m.problem("trailer: must be the text with which the last line of a CSV or fixed file begins")
		}
	}
	if l.format == formatXML && !m.s.writes {
		path, _ := m.native["records"].(string)
		var err error
		if l.records, err = markup.CompileRoute(path); err != nil {
			m.problem("records: %w", err)
		}
	}
}

// labels are the names by which documents of XML know encodings, where they are not those of definitions: IANA's.
var labels = map[string]string{"cp437": "IBM437", "cp850": "IBM850"}

// encodings are those that drops of plants come in. nil: UTF-8.
var encodings = map[string]encoding.Encoding{
	"utf-8": nil, "utf-16": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf-16le": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "utf-16be": unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
	"iso-8859-1": charmap.ISO8859_1, "iso-8859-2": charmap.ISO8859_2, "iso-8859-15": charmap.ISO8859_15,
	"windows-1250": charmap.Windows1250, "windows-1251": charmap.Windows1251, "windows-1252": charmap.Windows1252,
	"cp437": charmap.CodePage437, "cp850": charmap.CodePage850,
	"shift_jis": japanese.ShiftJIS, "gb18030": simplifiedchinese.GB18030,
}

// resolve renders the layout's options.
func (l *layoutSpec) resolve(vars connectors.Vars) (*layout, error) {
	out := &layout{layoutSpec: l, separator: ',', decimal: '.'}
	texts := map[string]string{}
	for name, o := range map[string]option{"encoding": l.encoding, "separator": l.separator, "decimal": l.decimal, "dates": l.dates, "datetimes": l.datetimes} {
		text, err := o.text(vars)
		if err != nil {
			return nil, err
		}
		texts[name] = text
	}
	var known bool
	name := strings.ToLower(texts["encoding"])
	out.label = cmp.Or(labels[name], name, "utf-8")
	if out.encoding, known = encodings[name]; !known && name != "" {
		return nil, connectors.Misuse("encoding: there is no %q; there are utf-8, utf-16, windows-1252, iso-8859-15, shift_jis and others", name)
	}
	if s := texts["separator"]; s == "tab" || s == `\t` {
		out.separator = '\t'
	} else if s != "" {
		r, size := utf8.DecodeRuneInString(s)
		if size != len(s) || r == '"' || r == '\r' || r == '\n' || r == utf8.RuneError {
			return nil, connectors.Misuse("separator: must be one character, or tab")
		}
		out.separator = r
	}
	switch d := texts["decimal"]; d {
	case "", ".":
	case ",":
		out.decimal = ','
	default:
		return nil, connectors.Misuse("decimal: must be . or ,")
	}
	var okDate, okTime bool
	out.date, okDate = dateLayout(texts["dates"])
	out.datetime, okTime = dateLayout(texts["datetimes"])
	if !okDate || !okTime {
		return nil, connectors.Misuse("dates: a form is made of YYYY, YY, MM, DD, HH, mm, SS and what stands between them")
	}
	return out, nil
}

var dateTokens = strings.NewReplacer("YYYY", "2006", "YY", "06", "MM", "01", "DD", "02", "HH", "15", "mm", "04", "SS", "05")

// dateLayout turns a form that people write into that of package time.
func dateLayout(form string) (string, bool) {
	if form == "" {
		form = "YYYY-MM-DD"
	}
	out := dateTokens.Replace(form)
	rest := strings.NewReplacer("YYYY", "", "YY", "", "MM", "", "DD", "", "HH", "", "mm", "", "SS", "").Replace(form)
	if strings.Trim(rest, " ./-:T_") != "" || len(form) > 40 {
		return "", false
	}
	at := time.Date(2031, 12, 30, 23, 58, 59, 0, time.UTC)
	back, err := time.Parse(out, at.Format(out))
	return out, err == nil && back.Month() == at.Month() && back.Day() == at.Day()
}
