// Package markup reads XML that a foreign system wrote, for the drivers whose systems speak it, and takes values out of it by XPath; and it fills
// a definition's own element with values, for systems that want XML.
//
// A Reader streams records of a large document: it holds one record at a time, and what stands before it in its parents. Parse reads
// a small document whole. Either is bounded in bytes, depth and number; a document type is refused, so that no entity is ever declared,
// expanded or fetched. Namespaces are dropped: a path has local names only, for systems change their prefixes from version to version, and
// two elements of one record that differ in nothing but their namespace are rare.
//
// What a Template writes is escaped by encoding/xml: no value of a caller's becomes markup. The package knows no protocol, and opens nothing.
package markup
