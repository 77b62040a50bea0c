package source

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"

	"sigs.k8s.io/yaml"
)

const chartFile = "Chart.yaml"

// StandInAnnotation marks the Chart.yaml of a chart that plays another one, and
// says which.
const StandInAnnotation = "hearth.dev/stands-in-for"

// chartMetadata is what is read and changed of a Chart.yaml.
type chartMetadata struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// standsInFor is set where the chart plays the one at a URL.
	standsInFor string
}

func readChartMetadata(chart fs.FS) (chartMetadata, error) {
	data, err := fs.ReadFile(chart, chartFile)
	if errors.Is(err, fs.ErrNotExist) {
		return chartMetadata{}, errors.New("the folder is no chart: it has no Chart.yaml")
	}
	if err != nil {
		return chartMetadata{}, err
	}
	var meta chartMetadata
	if err := yaml.Unmarshal(data, &meta); err != nil {
		return chartMetadata{}, fmt.Errorf("reading Chart.yaml: %w", err)
	}
	if meta.Name == "" || meta.Version == "" {
		return chartMetadata{}, errors.New("Chart.yaml names no name or no version")
	}
	return meta, nil
}

// pack makes a chart's archive, with the name and version given in place of
// those of its Chart.yaml. The same input makes the same bytes.
func pack(chart fs.FS, meta chartMetadata) ([]byte, error) {
	var buf bytes.Buffer
	// It is unpacked again at once: time matters, and size does not.
	zip, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	archive := tar.NewWriter(zip)
	err = eachFile(chart, func(name string, data []byte) error {
		if name == chartFile {
			renamed, err := withMetadata(data, meta)
			if err != nil {
				return err
			}
			data = renamed
		}
		header := &tar.Header{Name: path.Join(meta.Name, name), Mode: 0o644, Size: int64(len(data)), Format: tar.FormatPAX}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err := archive.Write(data)
		return err
	})
	if err := errors.Join(err, archive.Close(), zip.Close()); err != nil {
		return nil, fmt.Errorf("packing the chart %s: %w", meta.Name, err)
	}
	return buf.Bytes(), nil
}

func withMetadata(chartYAML []byte, meta chartMetadata) ([]byte, error) {
	fields := map[string]any{}
	if err := yaml.Unmarshal(chartYAML, &fields); err != nil {
		return nil, fmt.Errorf("reading Chart.yaml: %w", err)
	}
	fields["name"], fields["version"] = meta.Name, meta.Version
	if meta.standsInFor != "" {
		annotations, _ := fields["annotations"].(map[string]any)
		if annotations == nil {
			annotations = map[string]any{}
		}
		annotations[StandInAnnotation] = meta.standsInFor
		fields["annotations"] = annotations
	}
	return yaml.Marshal(fields)
}

// digestOfFolder names a folder's content: regular files, by path and bytes.
func digestOfFolder(dir fs.FS) (string, error) {
	h := sha256.New()
	err := eachFile(dir, func(name string, data []byte) error {
		io.WriteString(h, strconv.Quote(name)+strconv.Itoa(len(data))+":")
		h.Write(data)
		return nil
	})
	if err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// eachFile calls f for each regular file of a folder, in order of their paths,
// within the bounds of a chart.
func eachFile(dir fs.FS, f func(name string, data []byte) error) error {
	total := int64(0)
	return fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if total += info.Size(); total > maxChartBytes {
			return fmt.Errorf("the folder holds more than %d MiB", maxChartBytes>>20)
		}
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		return f(name, data)
	})
}
