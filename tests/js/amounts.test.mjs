import assert from "node:assert/strict"
import { test } from "node:test"

import { amountOf, typedAmount } from "app/amounts.js"

test("tokens are whole, and may be grouped", () => {
  assert.equal(amountOf("100000", "tokens"), 100_000)
  assert.equal(amountOf(" 1,000,000 ", "tokens"), 1_000_000)
  assert.equal(amountOf("１００，０００", "tokens"), 100_000, "as Chinese keyboards write it")
  assert.equal(amountOf("0", "tokens"), 0)
  for (const wrong of ["", "-1", "1.5", "1e5", "1,5", "10,00", "ten", "0x10"]) assert.equal(amountOf(wrong, "tokens"), null, wrong)
})

test("money is exact to the millionth, whatever floating point would make of it", () => {
  assert.equal(amountOf("12.50", "CNY"), 12_500_000)
  assert.equal(amountOf("0.000001", "USD"), 1)
  assert.equal(amountOf("1,000.1", "USD"), 1_000_100_000)
  assert.equal(amountOf("999999999.999999", "USD"), 999_999_999_999_999)
  for (const wrong of ["", "1,5", "12,50", ".5", "5.", "-1", "0.0000001", "¥5"]) assert.equal(amountOf(wrong, "CNY"), null, wrong)
})

test("an amount comes back as it can be typed", () => {
  for (const [amount, unit, typed] of [[100_000, "tokens", "100000"], [12_500_000, "CNY", "12.5"], [1, "CNY", "0.000001"], [0, "CNY", "0"], [10_000_000, "JPY", "10"]]) {
    assert.equal(typedAmount(amount, unit), typed)
    assert.equal(amountOf(typed, unit), amount)
  }
})
