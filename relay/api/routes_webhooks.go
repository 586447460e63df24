package api

import (
	"gantry/relay/auth"
	"gantry/relay/openapi"
	"gantry/tunnel/fault"
)

func (r *routes) ofWebhooks() {
	const tag = "Webhooks"
	r.audited("POST /webhooks", "webhooks.create", auth.Manage, r.api.createWebhook, openapi.Description{
		Tag: tag, Summary: "Create a webhook",
		Text: "Messages are sent to the URL as the Standard Webhooks specification says: POST, with `webhook-id`, `webhook-timestamp` and `webhook-signature`, and a body `{\"type\", \"timestamp\", \"data\"}`. What is not answered with 2xx within 15 seconds is sent again, from half a minute on and for 24 hours; messages about the same record or connection keep their order.\n\n" +
			"The URL must be https and lead to a public address, unless whoever runs the relay allows more. The secret is shown this once, and when it is rotated.",
		Body:    openapi.Takes[webhookWish]("Where to send what."),
		Answers: []openapi.Answer{openapi.Gives[webhookDocument](201, "The webhook, with its secret.").With(openapi.Location)},
		Codes:   []fault.Code{fault.Conflict, fault.NotFound},
	})
	r.own("GET /webhooks", "webhooks.list", auth.View, r.api.listWebhooks, openapi.Description{
		Tag: tag, Summary: "List the webhooks",
		Text:    "The organisation's webhooks, and how each is: since when it fails, with what, and when it is tried again.",
		Query:   openapi.Paging(),
		Answers: []openapi.Answer{openapi.Gives[list[webhookDocument]](200, "A page of webhooks.")},
	})
	r.own("GET /webhooks/{id}", "webhooks.get", auth.View, r.api.getWebhook, openapi.Description{
		Tag: tag, Summary: "Show a webhook",
		Text:    "A webhook, and how it is.",
		Answers: []openapi.Answer{openapi.Gives[webhookDocument](200, "The webhook.")},
	})
	r.audited("PATCH /webhooks/{id}", "webhooks.change", auth.Manage, r.api.changeWebhook, openapi.Description{
		Tag: tag, Summary: "Change a webhook",
		Text:    "What is left out stays as it is. With `state` a webhook is paused (messages wait, for up to 24 hours), or taken up again, also one that was disabled.",
		Body:    openapi.Takes[webhookChange]("What changes.").In(openapi.JSON, openapi.MergePatch),
		Answers: []openapi.Answer{openapi.Gives[webhookDocument](200, "The webhook.")},
	})
	r.audited("DELETE /webhooks/{id}", "webhooks.delete", auth.Manage, r.api.deleteWebhook, openapi.Description{
		Tag: tag, Summary: "Delete a webhook",
		Text:    "With its deliveries. Messages that are under way at this moment may still arrive.",
		Answers: []openapi.Answer{openapi.Empty(204, "The webhook is gone.")},
	})
	r.audited("POST /webhooks/{id}/rotate", "webhooks.rotate", auth.Manage, r.api.rotateWebhook, openapi.Description{
		Tag: tag, Summary: "Give a webhook a new secret",
		Text:    "For 24 hours messages are signed with the former secret as well, so that receivers can change over at any time in them.",
		Answers: []openapi.Answer{openapi.Gives[webhookDocument](200, "The webhook, with its new secret.")},
	})
	r.audited("POST /webhooks/{id}/test", "webhooks.test", auth.Manage, r.api.testWebhook, openapi.Description{
		Tag: tag, Summary: "Send a test message",
		Text:    "A message of the type `webhook.test`, whatever the webhook asks for. What became of it, its delivery says.",
		Answers: []openapi.Answer{openapi.Gives[deliveryDocument](202, "The delivery.")},
		Codes:   []fault.Code{fault.Conflict},
	})
	r.ofDeliveries()
}

func (r *routes) ofDeliveries() {
	const tag = "Webhooks"
	r.own("GET /webhooks/{id}/deliveries", "deliveries.list", auth.View, r.api.listDeliveries, openapi.Description{
		Tag: tag, Summary: "List a webhook's deliveries",
		Text:    "The newest first. Those that were delivered are kept for 7 days, up to 10,000 of them; those that failed for good for 30 days, up to 100,000.",
		Query:   openapi.Paging(openapi.OneOf("state", "Only those in this state; `pending` gives those that wait as well.", "pending", "delivered", "failed")),
		Answers: []openapi.Answer{openapi.Gives[list[deliveryDocument]](200, "A page of deliveries.")},
	})
	r.own("GET /webhooks/{id}/deliveries/{delivery}", "deliveries.get", auth.View, r.api.getDelivery, openapi.Description{
		Tag: tag, Summary: "Show a delivery",
		Text:    "A delivery with what is sent.",
		Answers: []openapi.Answer{openapi.Gives[deliveryDocument](200, "The delivery.")},
	})
	r.audited("POST /webhooks/{id}/deliveries/{delivery}/resend", "deliveries.resend", auth.Manage, r.api.resendDelivery, openapi.Description{
		Tag: tag, Summary: "Send a message again",
		Text:    "Whatever became of it, with the same id and body, for another 24 hours if need be. It can arrive behind later messages about its subject: compare their timestamps.",
		Answers: []openapi.Answer{openapi.Gives[deliveryDocument](202, "The delivery.")},
		Codes:   []fault.Code{fault.Conflict},
	})
}
