// Package files is the connectors.Driver for systems that exchange files: an ERP drops its stock as CSV into a folder each
// night, and picks up orders from another one. Its dialects are where the folders are: local (through os.Root, where the
// plant's policy allows the path), sftp (with a pinned host key) and smb (SMB 2 and 3, spoken by the agent itself).
//
// # What a record of a drop is
//
// `show: newest` is a snapshot: the records of the newest file, and of no other. `show: all` are events: the
// records of all files, in the order of their names (`sort: modified`: of their times). Without a file there is no snapshot, and
// reading it fails: an empty list would say that the plant has no stock. Either way a record is at a file and
// a line, $file and $line, which is the order in which it streams; a keyset that begins with them costs no sorting. Where
// a newer snapshot comes while a caller turns pages, the pages go on with the newer file from its beginning: a record may then come twice,
// and none is missed. $modified is the file's own time.
//
// # When a file is read
//
// Never while it is written: its size and time must stay the same for `settle` (2s unless said), or a file of its name with `marker`
// added (".ok") must lie beside it. Names that begin with a point or a tilde, and *.tmp, *.part and *.filepart, are never read. Among
// events nothing is shown after a file that is still written. A read waits for a file only if it has no other to show.
//
// Before any record of a file is shown, the file is read through: each line must have the fields that it should, each value must be
// of its kind, the keys of `unique` must be that, and the line that begins with `trailer` must be the last.
// A file that fails is moved, whole, into the folder `errors` with a text beside it; the call that met it fails and names file and
// line, and the next one sees what was there before. Without such a folder the file blocks its entity until somebody takes it away:
// nothing is skipped in silence. Snapshots that a newer one replaced are moved into the folder `archive`, if there is one.
//
// # Queries
//
//	list:
//	  folder: in                     # or a list of them; below the login's own folder
//	  files: "items_*.csv"           # * and ? ; {name} is a parameter
//	  show: newest
//	  format: csv                    # csv, fixed or xml
//	  encoding: windows-1252         # utf-8, utf-16, utf-16le, utf-16be, iso-8859-1, iso-8859-15, windows-1250, -1251, -1252, cp437, cp850, shift_jis, gb18030
//	  separator: ";"                 # "tab" is one, too
//	  quotes: none                   # "…" unless said
//	  decimal: ","                   # grouping by the other one, or by blanks or apostrophes, is understood
//	  dates: DD.MM.YYYY              # YYYY-MM-DD unless said; datetimes: with HH, mm and SS
//	  compression: gzip
//	  skip: 2                        # lines before the header
//	  header: false                  # columns by position: "#1", "#2"
//	  columns:
//	    item_no: Artikel             # by header; fixed: {at: 1, width: 12}; xml: an XPath from the record
//	    on_hand: Bestand as decimal  # as integer, decimal, boolean, date, datetime; text unless said
//	    line: $line as integer
//	  records: /Orders/Order         # of xml
//	  group: [number]                # lines one after the other that agree in these columns are one record: the first of them
//	  where: {number: ":number"}
//	  errors: ":login_error_folder"
//
// # Effects
//
//	create:
//	  write: "PO_{number}_{idempotency_key}.csv"   # characters that a name should not have are written as %XX
//	  folder: out
//	  sent: sent                     # a copy stays here: the receiver takes the other one away
//	  absent: "PO_{number}_*.csv"    # if such a one is there already, the write is refused
//	  header: [Number, Vendor, Line, Item]         # order and names of the columns
//	  columns: {number: Number, vendor_id: Vendor}
//	  each: {list: lines, columns: {index: Line as integer, item_id: Item}}   # a line for each member
//	  result: [number]               # of the columns, those that the effect gives back
//
// The file is written whole under a temporary name (….tmp), then its copy, and then it is renamed: the receiver sees all of it or nothing.
// A copy whose file still has its temporary name was never sent, and no query with `pending: FOLDER` shows it: after a crash one knows.
//
// A file of XML is one element, as its receiver's manual shows it, with parameters where values go, in place of header, columns and each:
//
//	create:
//	  write: "PO_{number}_{idempotency_key}.xml"
//	  format: xml
//	  encoding: windows-1252                       # is named in the declaration; utf-8 unless said
//	  datetimes: YYYY-MM-DDTHH:mm:SS               # dates, datetimes and decimal as in the other formats; a boolean is true or false
//	  document: |
//	    <Order xmlns="urn:plant:order" number="{number}">
//	      <Vendor>{vendor_id}</Vendor>             # mandatory: without a value the write is refused
//	      <Due>{due_at? as date}</Due>             # ? leaves the element, or the attribute, out
//	      <Line gantry:each="lines" no="{index}"><Item>{item_id}</Item><Quantity>{quantity as decimal}</Quantity></Line>
//	    </Order>
//
// A parameter is the whole text of an element or an attribute. What a caller sent is escaped and stays text; a character that the encoding does
// not have is a reference (&#36600;). Namespaces stand as the author wrote them.
//
// Every option is a text of the definition, or ":name", a setting of the login. Names and values of callers never choose a folder.
//
// Bounds: 10,000 files a folder, 1 GiB a file as it unpacks, 1 MiB and 1,000 fields a record, 2,000,000 records a file where keys must be
// unique. An order other than that of the file is sorted in passes of 20,000 records. What it never does: hold a file in memory, change or
// delete a file that it did not write, follow a link out of its folder, replace a file, or try a refused login again.
package files
