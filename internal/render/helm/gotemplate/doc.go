// Package gotemplate executes Go templates as text/template does for Helm, at a
// fraction of the cost: a chart's templates are parsed once for all releases,
// values that charts are made of need no reflection, and a text given to tpl is
// parsed once however often it comes.
//
// What it renders is what Helm's engine renders, to the byte. It does not try to
// say what is wrong with a template, and does not know every corner of the
// language: where text/template would fail, or could behave otherwise than
// expected here, the error is ErrUnsure, and Helm's engine has the last word.
// Execution is bounded in time, depth and size; a template beyond the bounds is
// refused with ErrRefused, and nobody else should try it.
package gotemplate
