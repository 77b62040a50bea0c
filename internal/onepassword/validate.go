package onepassword

import (
	"fmt"
	"slices"
)

// categories are the kinds of items that there are.
var categories = []string{
	"LOGIN", "PASSWORD", "API_CREDENTIAL", "SERVER", "DATABASE", "CREDIT_CARD", "MEMBERSHIP", "PASSPORT",
	"SOFTWARE_LICENSE", "OUTDOOR_LICENSE", "SECURE_NOTE", "WIRELESS_ROUTER", "BANK_ACCOUNT", "DRIVER_LICENSE",
	"IDENTITY", "REWARD_PROGRAM", CategoryDocument, "EMAIL_ACCOUNT", "SOCIAL_SECURITY_NUMBER", "MEDICAL_RECORD",
	"SSH_KEY", "CUSTOM",
}

// fieldTypes are the types of fields that there are.
var fieldTypes = []string{
	"STRING", "EMAIL", "CONCEALED", "URL", TypeOTP, "DATE", "MONTH_YEAR", "MENU", "SSHKEY", "SSH_KEY", "ADDRESS",
	"CREDIT_CARD_NUMBER", "CREDIT_CARD_TYPE", "GENDER", "PHONE", "REFERENCE", "FILE", "UNKNOWN",
}

// Bounds of an item that a client writes.
const (
	maxTags  = 200
	maxTitle = 1_000
)

// validate reports what a client may not write.
func validate(item *Item) error {
	switch {
	case item.Title == "" || len(item.Title) > maxTitle:
		return invalidError("The item needs a title of at most 1000 bytes")
	case !slices.Contains(categories, item.Category):
		return invalidError("Invalid item category")
	case len(item.Fields) > maxFields:
		return invalidError(fmt.Sprintf("The item has more than %d fields", maxFields))
	case len(item.Tags) > maxTags || len(item.URLs) > maxTags:
		return invalidError(fmt.Sprintf("The item has more than %d tags or URLs", maxTags))
	}
	ids := map[string]bool{}
	for _, f := range item.Fields {
		switch {
		case f.Label == "":
			return invalidError("A field has no label")
		case len(f.ID) > maxTitle || len(f.Label) > maxTitle || len(f.Section) > maxTitle:
			return invalidError("A field's id, label or section is longer than 1000 bytes")
		case !slices.Contains(fieldTypes, f.Type):
			return invalidError("Invalid field type")
		case f.Purpose != "" && f.Purpose != "USERNAME" && f.Purpose != "PASSWORD" && f.Purpose != "NOTES":
			return invalidError("Invalid field purpose")
		case ids[f.ID]:
			return invalidError("Two fields have the same id")
		}
		ids[f.ID] = true
	}
	return nil
}
