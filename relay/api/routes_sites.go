package api

import (
	"gantry/relay/auth"
	"gantry/relay/openapi"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

func (r *routes) ofSystems() {
	const tag = "Systems"
	site := openapi.TextParameter("site", "The id of a site: what its agents can connect. Without it, what the relay knows by itself.")
	r.own("GET /systems", "systems.list", auth.View, r.api.listSystems, openapi.Description{
		Tag: tag, Summary: "List what can be connected",
		Text:    "The catalogue of products, each with its login form as JSON Schema and with the entities and operations that it has. Members of the form that are `writeOnly` are credentials, the others settings.",
		Query:   []openapi.Parameter{site},
		Answers: []openapi.Answer{openapi.Gives[list[systemDocument]](200, "The systems, all on one page.")},
		Codes:   []fault.Code{fault.NotFound},
	})
	r.own("GET /systems/{system}", "systems.get", auth.View, r.api.getSystem, openapi.Description{
		Tag: tag, Summary: "Show one system",
		Text:    "One product that can be connected, with its login form and a guide for whoever fills it in.",
		Query:   []openapi.Parameter{site},
		Answers: []openapi.Answer{openapi.Gives[systemDocument](200, "The system.")},
	})
}

func (r *routes) ofSites() {
	const tag = "Sites and agents"
	r.audited("POST /sites", "sites.create", auth.Manage, r.api.createSite, openapi.Description{
		Tag: tag, Summary: "Create a site",
		Text:    "A site is one plant network. The answer holds a one-time token for its first agent: give it to the plant's IT, who run `gantry-agent enroll`. It is shown this once, and is good for an hour.",
		Body:    openapi.Takes[siteWish]("The new site."),
		Answers: []openapi.Answer{openapi.Gives[newSiteDocument](201, "The site, and the token for its first agent.").With(openapi.Location)},
	})
	r.own("GET /sites", "sites.list", auth.View, r.api.listSites, openapi.Description{
		Tag: tag, Summary: "List the sites",
		Text:    "The organisation's plant networks with their agents.",
		Query:   openapi.Paging(),
		Answers: []openapi.Answer{openapi.Gives[list[siteDocument]](200, "A page of sites.")},
	})
	r.own("GET /sites/{id}", "sites.get", auth.View, r.api.getSite, openapi.Description{
		Tag: tag, Summary: "Show a site",
		Text:    "A site with its agents as they are now. An agent is `connected` because a call to its own loop came back within the last 30 seconds.",
		Answers: []openapi.Answer{openapi.Gives[siteDocument](200, "The site.")},
	})
	r.audited("DELETE /sites/{id}", "sites.delete", auth.Manage, r.api.deleteSite, openapi.Description{
		Tag: tag, Summary: "Delete a site",
		Text:    "Ends the site's connections, has its agents erase their logins as far as they can be asked, and shuts the agents out.",
		Answers: []openapi.Answer{openapi.Empty(204, "The site is gone.")},
	})
	r.audited("POST /sites/{id}/enrolment-tokens", "enrolment_tokens.create", auth.Manage, r.api.createEnrolmentToken, openapi.Description{
		Tag: tag, Summary: "Make another enrolment token",
		Text:    "One more one-time token, for another agent or because the first one expired.",
		Body:    openapi.MayTake[enrolmentWish]("How long the token lives."),
		Answers: []openapi.Answer{openapi.Gives[enrolmentDocument](201, "The token, which is shown this once.")},
	})
}

func (r *routes) ofAgents() {
	const tag = "Sites and agents"
	r.audited("DELETE /sites/{id}/agents/{agent}", "agents.delete", auth.Manage, r.api.deleteAgent, openapi.Description{
		Tag: tag, Summary: "Revoke an agent",
		Text:    "The agent's certificate is refused from now on, and its tunnel closes at once.",
		Answers: []openapi.Answer{openapi.Empty(204, "The agent is shut out.")},
	})
	r.audited("POST /sites/{id}/agents/{agent}/diagnose", "agents.diagnose", auth.Diagnose, r.api.diagnoseAgent, openapi.Description{
		Tag: tag, Summary: "Run the agent's doctor",
		Text: "The same report as `gantry-agent doctor --json` on the machine itself: machine, configuration, network, relay and connections. It needs the plant's consent (`support` in the agent's configuration), and is limited in rate.\n\n" +
			"With `Accept: application/x-ndjson` each result comes as its check ends, `{\"step\":{…}}`, and last `{\"end\":{…}}` with the report or `{\"error\":{…}}`.",
		Body:    openapi.MayTake[doctorWish]("How deep to look."),
		Answers: []openapi.Answer{openapi.OrLines[progress[check.Result, check.Report]](openapi.Gives[check.Report](200, "The report."), openapi.NDJSON)},
		Reach:   openapi.AtAgent,
	})
	r.audited("POST /sites/{id}/agents/{agent}/bundle", "agents.bundle", auth.Diagnose, r.api.bundle, openapi.Description{
		Tag: tag, Summary: "Fetch the support bundle",
		Text:    "The archive that `gantry-agent bundle` makes: everything that support asks for, proved to hold no secret. It needs the plant's consent.",
		Answers: []openapi.Answer{openapi.Passes(200, openapi.Binary, "The archive, a zip.").With(openapi.Disposition)},
		Reach:   openapi.AtAgent,
	})
	r.audited("GET /sites/{id}/agents/{agent}/logs", "agents.logs", auth.Diagnose, r.api.logs, openapi.Description{
		Tag: tag, Summary: "Read the agent's log",
		Text: "The agent's own log, a line an entry, without secrets. It needs the plant's consent.",
		Query: []openapi.Parameter{
			openapi.Number("lines", "How many of the last lines to give.", 0, maxLines, defaultLines),
			openapi.Flag("follow", "Whether to go on with what is logged from now on, for up to twenty minutes."),
		},
		Answers: []openapi.Answer{openapi.Passes(200, openapi.PlainText, "The lines.")},
		Reach:   openapi.AtAgent,
	})
}
