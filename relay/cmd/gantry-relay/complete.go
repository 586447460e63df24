package main

import (
	"context"

	"gantry/relay/admin"
)

// The words that the shell completes, as far as they are cheap to list.

func (a *app) organisationWords(ctx context.Context) []string {
	var words []string
	_ = a.administer(ctx, false, func(ctx context.Context, ad admin.Administration) error {
		all, err := ad.Organisations(ctx)
		for _, o := range all {
			words = append(words, o.ID+"\t"+o.Name)
		}
		return err
	})
	return words
}

// keyWords lists the keys of the organisation that is named, or of the only one.
func (a *app) keyWords(org *string) func(context.Context) []string {
	return func(ctx context.Context) []string {
		var words []string
		_ = a.administer(ctx, false, func(ctx context.Context, ad admin.Administration) error {
			id, err := organisation(ctx, ad, *org)
			if err != nil {
				return err
			}
			all, err := ad.Keys(ctx, id)
			for _, key := range all {
				words = append(words, key.ID+"\t"+key.Name)
			}
			return err
		})
		return words
	}
}
