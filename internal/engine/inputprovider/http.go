package inputprovider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
)

const (
	pageSize     = 100
	maxPages     = 1000
	maxRedirects = 5
	// maxBody bounds one answer, in bytes.
	maxBody = 10 << 20
)

var errDone = errors.New("enough")

// ask sends a request and reads JSON from the answer.
func (c *connection) ask(ctx context.Context, method string, u *url.URL, header http.Header, limit int64, into any) (http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header = header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "hearth")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, bare(err)
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, fmt.Errorf("%s answered HTTP %d", u.Redacted(), response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read what %s answers: %w", u.Redacted(), bare(err))
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("%s answers more than the maximum allowed size of %d bytes", u.Redacted(), limit)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, fmt.Errorf("%s answers no JSON of the kind that is expected", u.Redacted())
	}
	return response.Header, nil
}

// bare leaves the method and URL out of an error of the HTTP client.
func bare(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return fmt.Errorf("%s: %w", (&url.URL{Scheme: "https", Host: hostOf(wrapped.URL)}).Host, wrapped.Err)
	}
	return err
}

func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the server"
	}
	return u.Host
}

// nextPage finds the link to the next page in a Link header.
var nextPage = regexp.MustCompile(`<[^>]*>\s*;[^,]*rel="?next"?`)

// pages asks for page after page, for as long as there is one and each does not
// return errDone.
func pages[T any](ctx context.Context, c *connection, u *url.URL, header http.Header, each func(T) error) error {
	for page := 1; page <= maxPages; page++ {
		at := *u
		query := at.Query()
		query.Set("page", strconv.Itoa(page))
		at.RawQuery = query.Encode()
		var items []T
		answer, err := c.ask(ctx, http.MethodGet, &at, header, maxBody, &items)
		if err != nil {
			return err
		}
		for _, item := range items {
			if err := each(item); err == errDone {
				return nil
			} else if err != nil {
				return err
			}
		}
		if len(items) == 0 || !nextPage.MatchString(answer.Get("Link")) {
			return nil
		}
	}
	return fmt.Errorf("%s has more than %d pages", u.Redacted(), maxPages)
}
