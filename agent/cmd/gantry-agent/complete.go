package main

import (
	"context"
	"errors"

	"gantry/agent/control"
	"gantry/connectors/entity"
)

// The words that the shell completes, as far as they are cheap to list.

func (a *app) systemWords(context.Context) []string {
	all, _, err := a.systems()
	if err != nil {
		return nil
	}
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = s.ID + "\t" + s.Product
	}
	return words
}

func (a *app) connectionWords(ctx context.Context) []string {
	all, err := a.client().Connections(ctx)
	if errors.Is(err, control.ErrNotRunning) {
		all, err = a.stored(ctx)
	}
	if err != nil {
		return nil
	}
	words := make([]string, len(all))
	for i, c := range all {
		words[i] = c.Name + "\t" + c.System
	}
	return words
}

func (a *app) writeWords(ctx context.Context) []string {
	all, err := a.client().Writes(ctx)
	if errors.Is(err, control.ErrNotRunning) {
		all, err = a.storedWrites(ctx)
	}
	if err != nil {
		return nil
	}
	words := make([]string, len(all))
	for i, w := range all {
		words[i] = w.ID + "\t" + what(w)
	}
	return words
}

func entityWords(context.Context) []string {
	var words []string
	for _, e := range entity.Catalogue() {
		words = append(words, e.Name+"\t"+e.Title)
	}
	return words
}

func operationWords(context.Context) []string {
	operations := []string{"list", "get", "create", "update", "delete"}
	words := append([]string{}, operations...)
	for _, e := range entity.Catalogue() {
		for _, operation := range operations {
			words = append(words, e.Name+":"+operation)
		}
	}
	return words
}

func fieldWords(context.Context) []string {
	var words []string
	for _, e := range entity.Catalogue() {
		for _, field := range e.Fields {
			words = append(words, e.Name+"."+field.Name)
		}
	}
	return words
}
