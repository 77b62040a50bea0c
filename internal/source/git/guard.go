package git

import "hearth/internal/source/guard"

// ErrRefused says that an address is one that no repository may lead to.
var ErrRefused = guard.ErrRefused
