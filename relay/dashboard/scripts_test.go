package dashboard

import "testing"

// TestScripts runs the modules that make the pages comfortable in Node, on a page of a few objects.
func TestScripts(t *testing.T) {
	node(t, `
		import assert from "node:assert/strict";
		import { refresh } from "./static/tables.mjs";
		import { copyable, unsaid } from "./static/console.mjs";

		// What was left empty is left out of the address, and nothing else is.
		const inputs = [{ name: "limit", value: "5" }, { name: "f.status", value: "" }, { name: "", value: "" }];
		unsaid({ elements: inputs });
		assert.deepEqual(inputs.map((i) => Boolean(i.disabled)), [false, true, false]);

		// A part is replaced by its newer state, and left alone when that cannot be had.
		const page = (parts) => ({ getElementById: (id) => parts[id] ?? null });
		let shown = null;
		const old = { replaceWith: (fresh) => { shown = fresh; } };
		const tools = (answer) => ({ document: page({ table: old }), parse: () => page({ table: "newer" }), fetch: async () => answer });
		const ok = { ok: true, redirected: false, text: async () => "" };
		assert.equal(await refresh("table", "/?order=name", tools(ok)), true);
		assert.equal(shown, "newer");
		for (const [id, answer] of [["table", { ...ok, ok: false }], ["table", { ...ok, redirected: true }], ["other", ok], ["", ok]]) {
			shown = null;
			assert.equal(await refresh(id, "/", tools(answer)), false, id);
			assert.equal(shown, null);
		}

		// A text that can be copied gets a button beside it, in a frame that takes its place.
		const element = () => ({ on: {}, children: [], append(...all) { this.children.push(...all); }, addEventListener(kind, does) { this.on[kind] = does; } });
		const text = { textContent: "curl …", before(frame) { this.frame = frame; } };
		let copied = "";
		const button = copyable(text, { createElement: element }, { writeText: async (value) => { copied = value; } });
		assert.deepEqual(text.frame.children, [text, button]);
		await button.on.click();
		assert.equal(copied, "curl …");
		assert.equal(button.textContent, "Copied");
		process.exit(0);`)
}
