package onepassword

import (
	"fmt"
	"strings"
)

// NoItemError is an item that none of the vaults has.
type NoItemError struct {
	Item   string
	Vaults []string
}

func (e *NoItemError) Error() string {
	return fmt.Sprintf("no item %q in vault(s) %s", e.Item, strings.Join(e.Vaults, ", "))
}

// NoFieldError is a field that an item does not have. With more than one item
// it is one that none of them has.
type NoFieldError struct {
	Items []string
	Field string
}

func (e *NoFieldError) Error() string {
	if len(e.Items) == 1 {
		return fmt.Sprintf("1Password item %q has no field %s", e.Items[0], e.Field)
	}
	quoted := make([]string, len(e.Items))
	for i, item := range e.Items {
		quoted[i] = fmt.Sprintf("%q", item)
	}
	return fmt.Sprintf("none of the 1Password items %s has a field %s", strings.Join(quoted, ", "), e.Field)
}

// NoFileError is a file that an item does not have.
type NoFileError struct{ Item, File string }

func (e *NoFileError) Error() string {
	return fmt.Sprintf("1Password item %q has no file %q", e.Item, e.File)
}

// OneTimePasswordError is a field that has no one-time password.
type OneTimePasswordError struct {
	Item, Field string
	Err         error // without the secret
}

func (e *OneTimePasswordError) Error() string {
	return fmt.Sprintf("1Password item %q has no one-time password in its field %s: %v", e.Item, e.Field, e.Err)
}

func (e *OneTimePasswordError) Unwrap() error { return e.Err }

// AmbiguousError is a name that fits more than one thing.
type AmbiguousError struct {
	Count int
	What  string // what there is more than one of, with its name and place
	Fix   string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("there are %d %s: %s", e.Count, e.What, e.Fix)
}

// NoVaultError is a vault that the token does not reach.
type NoVaultError struct{ Vault string }

func (e *NoVaultError) Error() string {
	return fmt.Sprintf("1Password Connect has no vault %q: check its name, and that the token may read it", e.Vault)
}

// TokenError is a token that the server refuses.
type TokenError struct {
	URL    string // or what ClientOptions.Name says, here and below
	Status int    // 401, or 403 where it is known but not for what was asked
}

func (e *TokenError) Error() string {
	return fmt.Sprintf("1Password Connect at %s refuses the token: renew the Secret that holds it", e.URL)
}

// ReadOnlyError is a vault that the token may not write to.
type ReadOnlyError struct{ URL, Vault string }

func (e *ReadOnlyError) Error() string {
	return fmt.Sprintf("1Password Connect at %s refuses to write to vault %s: give the token write access", e.URL, e.Vault)
}

// UnreachableError is a server that does not answer.
type UnreachableError struct {
	URL string
	Err error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("1Password Connect at %s is unreachable: %v", e.URL, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// ResponseError is an answer that cannot be used.
type ResponseError struct {
	URL     string
	Status  int
	Problem string
}

func (e *ResponseError) Error() string {
	return fmt.Sprintf("1Password Connect at %s answered with status %d: %s", e.URL, e.Status, e.Problem)
}
