package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// choice is the value of a flag that takes one of a few words.
type choice struct {
	value string
	words []string
}

// choose adds a flag that takes one of the words, the first unless it is given.
func choose(c *cobra.Command, name, description string, words ...string) *choice {
	choice := &choice{value: words[0], words: words}
	c.Flags().Var(choice, name, description)
	_ = c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	return choice
}

// String implements pflag.Value.
func (c *choice) String() string { return c.value }

// Type implements pflag.Value: it is what help shows for the value.
func (c *choice) Type() string { return strings.Join(c.words, "|") }

// Set implements pflag.Value.
func (c *choice) Set(word string) error {
	if !slices.Contains(c.words, word) {
		return fmt.Errorf("choose one of %s%s", strings.Join(c.words, ", "), didYouMean(word, c.words))
	}
	c.value = word
	return nil
}
