package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/tunnel/enrol"
)

// How long an enrolment token lives.
const (
	enrolmentLife    = time.Hour
	maxEnrolmentLife = 7 * 24 * time.Hour
)

// siteDocument is a plant network with its agents.
type siteDocument struct {
	ID           string          `json:"id"`
	Organisation string          `json:"organisation"` // who seals credentials names it
	Name         string          `json:"name"`
	CreatedAt    *time.Time      `json:"created_at"`
	Agents       []agentDocument `json:"agents"`
}

// agentDocument is an agent as it is known now.
type agentDocument struct {
	ID                   string           `json:"id"`
	Hostname             string           `json:"hostname"`
	Version              string           `json:"version"`
	OS                   string           `json:"os"`
	Arch                 string           `json:"arch"`
	State                string           `json:"state" openapi:"connected|offline"` // connected or offline
	EnrolledAt           *time.Time       `json:"enrolled_at"`
	ConnectedSince       *time.Time       `json:"connected_since"`
	LastSeenAt           *time.Time       `json:"last_seen_at"`
	RoundTripMS          *float64         `json:"round_trip_ms"`
	Sessions             int              `json:"sessions"`  // that are up
	Addresses            []string         `json:"addresses"` // hosts that they come from, as the relay sees them: often the plant's gateway
	CertificateExpiresAt *time.Time       `json:"certificate_expires_at"`
	SealingKey           *wire.SealingKey `json:"sealing_key"`
}

// enrolmentDocument carries a one-time token, which is shown this once.
type enrolmentDocument struct {
	EnrolmentToken string     `json:"enrolment_token"`
	ExpiresAt      *time.Time `json:"expires_at"`
}

// newSiteDocument is a site that was just made, with the token for its first agent.
type newSiteDocument struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	enrolmentDocument
}

// siteWish is the body of POST /sites.
type siteWish struct {
	Name string `json:"name"` // for people; up to 200 bytes
}

// enrolmentWish is the body of POST /sites/{id}/enrolment-tokens.
type enrolmentWish struct {
	TTL int64 `json:"ttl,omitempty"` // seconds until the token expires, from 60 to 604800; 3600 if left out
}

func (a *API) createSite(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	body, err := a.readBody(w, r)
	if err != nil {
		return err
	}
	wish, err := decode[siteWish](body)
	if err != nil {
		return err
	}
	if err := label("name", wish.Name); err != nil {
		return err
	}
	site, err := a.store.CreateSite(ctx, p.OrganisationID, wish.Name)
	if err != nil {
		return err
	}
	about(w, store.Subject{Target: site.ID, SiteID: site.ID})
	token, err := a.enrolmentToken(ctx, p.OrganisationID, site.ID, enrolmentLife)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/api/v1/sites/"+site.ID)
	return reply(w, http.StatusCreated, newSiteDocument{site.ID, site.Name, token})
}

func (a *API) createEnrolmentToken(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	body, err := a.optionalBody(w, r)
	if err != nil {
		return err
	}
	wish, err := decode[enrolmentWish](body)
	if err != nil {
		return err
	}
	life := enrolmentLife
	if wish.TTL != 0 {
		if wish.TTL < 60 || wish.TTL > int64(maxEnrolmentLife/time.Second) {
			return badParameter("ttl", "seconds, from 60 to %d", int64(maxEnrolmentLife/time.Second))
		}
		life = time.Duration(wish.TTL) * time.Second
	}
	token, err := a.enrolmentToken(ctx, p.OrganisationID, r.PathValue("id"), life)
	if err != nil {
		return err
	}
	return reply(w, http.StatusCreated, token)
}

// enrolmentToken makes a one-time token for a site. The store keeps the hash of its secret.
func (a *API) enrolmentToken(ctx context.Context, organisation, site string, life time.Duration) (enrolmentDocument, error) {
	secret := make([]byte, enrol.SecretSize)
	_, _ = rand.Read(secret)                              // never fails (crypto/rand)
	expires := time.Now().Add(life).Truncate(time.Second) // the token's text has whole seconds
	row, err := a.store.CreateEnrolment(ctx, organisation, site, sha256.Sum256(secret), expires)
	if err != nil {
		return enrolmentDocument{}, err
	}
	return enrolmentDocument{a.token(secret, expires), moment(row.ExpiresAt)}, nil
}

func (a *API) listSites(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	_, asked, err := page(r)
	if err != nil {
		return err
	}
	rows, err := a.store.Sites(ctx, p.OrganisationID, asked)
	if err != nil {
		return err
	}
	envelope := paged(rows, asked, func(s store.Site) string { return s.ID }, func(s store.Site) siteDocument {
		return siteDocument{ID: s.ID, Organisation: s.OrganisationID, Name: s.Name, CreatedAt: moment(s.CreatedAt)}
	})
	ids := make([]string, len(envelope.Data))
	for i, s := range envelope.Data {
		ids[i] = s.ID
	}
	agents, err := a.agentsOf(ctx, p.OrganisationID, ids...)
	if err != nil {
		return err
	}
	for i, id := range ids {
		envelope.Data[i].Agents = append([]agentDocument{}, agents[id]...)
	}
	return reply(w, http.StatusOK, envelope)
}

func (a *API) getSite(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	site, err := a.store.Site(ctx, p.OrganisationID, r.PathValue("id"))
	if err != nil {
		return err
	}
	agents, err := a.agentsOf(ctx, p.OrganisationID, site.ID)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, siteDocument{site.ID, site.OrganisationID, site.Name, moment(site.CreatedAt), append([]agentDocument{}, agents[site.ID]...)})
}

// agentsOf shows the agents of sites, by site.
func (a *API) agentsOf(ctx context.Context, organisation string, sites ...string) (map[string][]agentDocument, error) {
	rows, err := a.store.Agents(ctx, organisation, sites...)
	if err != nil {
		return nil, err
	}
	agents := map[string][]agentDocument{}
	for _, row := range rows {
		agents[row.SiteID] = append(agents[row.SiteID], a.showAgent(row))
	}
	return agents, nil
}

// showAgent joins what the store remembers with what the hub knows now.
func (a *API) showAgent(row store.Agent) agentDocument {
	var facts wire.Facts
	_ = json.Unmarshal(row.Facts, &facts) // facts that cannot be read are shown as none
	now := a.hub.Presence(row.ID)
	shown := agentDocument{
		ID: row.ID, Hostname: facts.Hostname, Version: facts.Version, OS: facts.OS, Arch: facts.Arch, State: "offline",
		EnrolledAt: moment(row.EnrolledAt), LastSeenAt: moment(row.LastSeenAt), CertificateExpiresAt: moment(row.CertificateExpiresAt),
		Sessions: now.Sessions, Addresses: append([]string{}, now.Addresses...),
	}
	if facts.SealingKey.ID != "" {
		shown.SealingKey = &facts.SealingKey
	}
	if now.LastSeen.After(row.LastSeenAt) {
		shown.LastSeenAt = moment(now.LastSeen)
	}
	if now.Connected {
		shown.State, shown.ConnectedSince = "connected", moment(now.Since)
		if now.RoundTrip > 0 {
			ms := float64(now.RoundTrip.Microseconds()) / 1000
			shown.RoundTripMS = &ms
		}
	}
	return shown
}

func (a *API) deleteSite(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	ended, err := a.store.DeleteSite(ctx, p.OrganisationID, r.PathValue("id"), note(ctx, p))
	if err != nil {
		return err
	}
	a.dismiss(ctx, ended.Agents)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// dismiss has the agents of a site that is gone erase their logins, as far as they can be asked, and shuts them out.
func (a *API) dismiss(ctx context.Context, agents []string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetTime)
	defer cancel()
	var group sync.WaitGroup
	for _, agent := range agents {
		group.Go(func() {
			a.hub.Tell(ctx, agent)
			a.hub.Revoke(agent)
		})
	}
	group.Wait()
}

func (a *API) deleteAgent(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	agent, err := a.store.RevokeAgent(ctx, p.OrganisationID, r.PathValue("id"), r.PathValue("agent"))
	if err != nil {
		return err
	}
	a.hub.Revoke(agent.ID)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
