//go:build !linux

package cli

// forgetProgram does nothing: other systems count the pages of a program's file
// apart.
func forgetProgram() {}
