// Package files reads a directory of manifests.
//
// A file is split into documents, a document is parsed and written to JSON, and the JSON is decoded strictly into the
// Go types of package sources. On the way every value keeps the place where it was written:
//
//	find      paths → files             text      file → lines
//	document  text → documents          body      document → JSON with its marks
//	manifest  body → objects in it      decode    manifest → Go object, or findings
//
// A Reader does that again and again: it remembers what became of each document, and a watch tells it when to look.
//
// One bad document never loses the others, and an object that cannot be read is never taken as not written.
package files
