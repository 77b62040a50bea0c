package cli

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// forgetProgram takes the pages of the program's own file out of the process.
// Starting visits most of the program, which holds a whole control plane; a
// page that is needed again comes back from the file. Where that fails the
// process merely stays as large as it is.
func forgetProgram() {
	own, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	for _, m := range clean(maps, own) {
		for _, advice := range []uintptr{syscall.MADV_NOHUGEPAGE, syscall.MADV_DONTNEED} {
			_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.start, m.end-m.start, advice)
		}
	}
}

// mapping is a range of addresses.
type mapping struct{ start, end uintptr }

// clean returns the mappings of a file that are as the file is: read only, and
// without a page that was ever written, as the loader writes to some.
func clean(smaps []byte, file string) []mapping {
	var (
		list    []mapping
		current mapping
		ours    bool
	)
	lines := bufio.NewScanner(bytes.NewReader(smaps))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 0:
		case !strings.HasSuffix(fields[0], ":"):
			current, ours = mappingOf(fields, file)
		case ours && fields[0] == "Anonymous:" && len(fields) > 1 && fields[1] == "0":
			list = append(list, current)
		}
	}
	return list
}

// mappingOf reads a heading: addresses, permissions, offset, device, inode and
// path; ours says that it is one of the file's that cannot be written to.
func mappingOf(fields []string, file string) (m mapping, ours bool) {
	if len(fields) < 6 || strings.Join(fields[5:], " ") != file || strings.Contains(fields[1], "w") {
		return mapping{}, false
	}
	from, to, _ := strings.Cut(fields[0], "-")
	start, err := strconv.ParseUint(from, 16, strconv.IntSize)
	if err != nil {
		return mapping{}, false
	}
	end, err := strconv.ParseUint(to, 16, strconv.IntSize)
	if err != nil || end <= start {
		return mapping{}, false
	}
	return mapping{uintptr(start), uintptr(end)}, true
}
