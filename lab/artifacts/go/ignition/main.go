// Checks what the role pxe writes against what reads it: Ignition's own parser, and Butane's.
//
//	ignition-check validate FILE     an Ignition file: complains about everything Ignition would warn of or refuse
//	ignition-check butane FILE       prints the Ignition that Butane makes of a Butane file (`local` beside it), contents unpacked
//	ignition-check show FILE         prints an Ignition file in the same way, to compare with that
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	butane "github.com/coreos/butane/config"
	"github.com/coreos/butane/config/common"
	ignition "github.com/coreos/ignition/v2/config/v3_4"
	"github.com/vincent-petithory/dataurl"
)

func main() {
	if len(os.Args) != 3 {
		stop("usage: ignition-check validate|butane|show FILE")
	}
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		stop(err.Error())
	}
	switch os.Args[1] {
	case "validate":
		validate(text)
	case "butane":
		made, report, err := butane.TranslateBytes(text, common.TranslateBytesOptions{
			TranslateOptions: common.TranslateOptions{FilesDir: filepath.Dir(os.Args[2])},
		})
		if err != nil {
			stop(err.Error() + "\n" + report.String())
		}
		show(made)
	case "show":
		show(text)
	default:
		stop("unknown: " + os.Args[1])
	}
}

func validate(text []byte) {
	config, report, err := ignition.ParseCompatibleVersion(text)
	if err != nil || len(report.Entries) > 0 {
		stop(fmt.Sprint(err, "\n", report.String()))
	}
	fmt.Printf("valid: %d files, %d units\n", len(config.Storage.Files), len(config.Systemd.Units))
}

// Data URLs may be written in several ways, so their contents are shown; empty things say nothing.
func show(text []byte) {
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		stop(err.Error())
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(plain(tree)); err != nil {
		stop(err.Error())
	}
}

func plain(node any) any {
	switch node := node.(type) {
	case map[string]any:
		made := map[string]any{}
		for key, value := range node {
			if source, ok := value.(string); ok && key == "source" && bytes.HasPrefix([]byte(source), []byte("data:")) {
				url, err := dataurl.DecodeString(source)
				if err != nil {
					stop(source + ": " + err.Error())
				}
				made["contents"] = string(url.Data)
				continue
			}
			if value = plain(value); value != nil && value != "" {
				made[key] = value
			}
		}
		if len(made) == 0 {
			return nil
		}
		return made
	case []any:
		var made []any
		for _, item := range node {
			made = append(made, plain(item))
		}
		if len(made) == 0 {
			return nil
		}
		return made
	}
	return node
}

func stop(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
