import assert from "node:assert/strict"
import { test } from "node:test"

const { instantOf, localOf } = await import("app/instants.js")

test("a local time is an instant in its own zone", () => {
  assert.equal(instantOf("2026-12-01T00:00", "Asia/Shanghai"), "2026-11-30T16:00:00.000Z")
  assert.equal(instantOf("2026-12-01T00:00:30", "UTC"), "2026-12-01T00:00:30.000Z")
  assert.equal(instantOf("2026-12-01T00:00", "Asia/Kathmandu"), "2026-11-30T18:15:00.000Z")
})

test("summer time counts where it holds, also beside its edges", () => {
  assert.equal(instantOf("2026-07-01T09:00", "America/New_York"), "2026-07-01T13:00:00.000Z")
  assert.equal(instantOf("2026-03-08T01:59", "America/New_York"), "2026-03-08T06:59:00.000Z")
  assert.equal(instantOf("2026-03-08T03:00", "America/New_York"), "2026-03-08T07:00:00.000Z")
  assert.equal(instantOf("2026-11-01T03:00", "America/New_York"), "2026-11-01T08:00:00.000Z")
})

test("what is shown can be sent back", () => {
  for (const iso of ["2026-11-30T16:00:00.000Z", "2026-03-08T07:00:00.000Z", "2026-11-01T08:00:00.000Z"]) {
    for (const zone of ["Asia/Shanghai", "America/New_York", "UTC"]) assert.equal(instantOf(localOf(iso, zone), zone), iso)
  }
  assert.equal(localOf("2026-11-30T16:00:00Z", "Asia/Shanghai"), "2026-12-01T00:00:00")
})
