package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// reply is how a command that made or did something says so: in a sentence, or as exactly one
// object of the members that docs/answers.md lists.
type reply struct{ format string }

func (s *reply) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.format, "format", "table", "table (a sentence), or json: exactly one object on stdout")
	c.PreRunE = func(*cobra.Command, []string) error {
		if s.format != "table" && s.format != "json" {
			return fmt.Errorf("%w: --format is table or json", errUsage)
		}
		return nil
	}
}

// give prints the one or the other.
func (s *reply) give(c *cobra.Command, of any, words string) error {
	if s.format == "json" {
		return json.NewEncoder(c.OutOrStdout()).Encode(of)
	}
	_, err := io.WriteString(c.OutOrStdout(), words)
	return err
}

// objects are what commands print with --format json, by command. Members are added
// and never change; what is not known is null.
func objects() map[string]any {
	return map[string]any{
		"version": versionAnswer{}, "backup": backupAnswer{}, "restore": restoreAnswer{}, "audit verify": verifyAnswer{}, "audit recover": recoverAnswer{}, "audit convert": convertAnswer{},
		"budget verify": budgetAnswer{}, "policy activate": changeAnswer{}, "policy rollback": changeAnswer{}, "policy build": bundleAnswer{}, "policy init": folderAnswer{},
		"init": initAnswer{}, "keys new": keyAnswer{}, "trust add": trustAnswer{},
	}
}

type versionAnswer struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

type backupAnswer struct {
	File      string `json:"file"`
	Log       string `json:"log"` // origin of the audit log
	Entries   int64  `json:"entries"`
	Documents int64  `json:"documents"`
}

type restoreAnswer struct {
	Log     string `json:"log"`
	Entries int64  `json:"entries"`
}

type verifyAnswer struct {
	Log       string `json:"log"`
	Entries   int64  `json:"entries"`
	Decisions int64  `json:"decisions"`
	Releases  int64  `json:"releases"`
	Documents int64  `json:"documents"`
	InForce   int64  `json:"in_force"`
	Retries   int64  `json:"retries"`
	// HeadCompared: the log holds all that a head of which was stored outside it.
	HeadCompared bool  `json:"head_compared"`
	Epoch        int64 `json:"epoch"`
	Waiting      int64 `json:"waiting"`
}

type recoverAnswer struct {
	Log     string `json:"log"`
	Epoch   int64  `json:"epoch"`
	Left    int64  `json:"left"`
	Lacking *int64 `json:"lacking"` // null: nothing shows it
	Waiting int64  `json:"waiting"`
}

type convertAnswer struct {
	Entries int64    `json:"entries"`
	Taken   int      `json:"taken"`
	Refused []string `json:"refused"` // why, one for each document that was not taken over
	Epoch   int64    `json:"epoch"`
	Waiting int64    `json:"waiting"`
}

type budgetAnswer struct {
	Releaser       string    `json:"releaser"` // party code
	Released       time.Time `json:"released"`
	Log            string    `json:"log"`
	Entry          int64     `json:"entry"`
	BuildUntil     time.Time `json:"build_until"`
	KeepUntil      time.Time `json:"keep_until"`
	PolicyRevision string    `json:"policy_revision"`
	Complete       bool      `json:"complete"`
	// Disclosures of the sources whose own gateway answered.
	Disclosures []disclosureAnswer `json:"disclosures"`
}

type disclosureAnswer struct {
	Source         string    `json:"source"` // party code
	OIN            string    `json:"oin"`
	Person         string    `json:"person"` // the caller's reference
	Disclosed      time.Time `json:"disclosed"`
	Log            string    `json:"log"`
	Decision       int64     `json:"decision"`
	Entry          int64     `json:"entry"`
	PolicyRevision string    `json:"policy_revision"`
	MaxAgeDays     int64     `json:"max_age_days"`
	RetentionDays  int64     `json:"retention_days"`
}

type changeAnswer struct {
	Revision string `json:"revision"`
	Parent   string `json:"parent"`
	Entry    int64  `json:"entry"`
	Status   string `json:"status"`
}

type bundleAnswer struct {
	File     string `json:"file"`
	Revision string `json:"revision"`
	Parent   string `json:"parent"`
	SHA256   string `json:"sha256"`
}

type folderAnswer struct {
	Folder string `json:"folder"`
}

type initAnswer struct {
	Folder string   `json:"folder"`
	Made   []string `json:"made"`
	There  []string `json:"there"`
}

type keyAnswer struct {
	File   string `json:"file"`
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Public string `json:"public"` // PEM, or the log key as it stands among log_keys; empty: it has no public half
}

type trustAnswer struct {
	Code string `json:"code"`
	File string `json:"file"`
}
