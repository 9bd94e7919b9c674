/** Zips as exports are: what is in each is stored as JSON. */

/** @param {Record<string, unknown>} inside */
export function zipped(inside) {
  const encoder = new TextEncoder()
  const [contents, list] = [[], []]
  let at = 0
  for (const [name, value] of Object.entries(inside)) {
    const [named, packed] = [encoder.encode(name), encoder.encode(JSON.stringify(value))]
    const local = new DataView(new ArrayBuffer(30))
    local.setUint32(0, 0x04034b50, true)
    local.setUint16(26, named.length, true)
    const entry = new DataView(new ArrayBuffer(46))
    entry.setUint32(0, 0x02014b50, true)
    entry.setUint32(20, packed.length, true)
    entry.setUint32(24, packed.length, true)
    entry.setUint16(28, named.length, true)
    entry.setUint32(42, at, true)
    contents.push(local, named, packed)
    list.push(entry, named)
    at += 30 + named.length + packed.length
  }
  const end = new DataView(new ArrayBuffer(22))
  end.setUint32(0, 0x06054b50, true)
  end.setUint32(12, new Blob(list).size, true)
  end.setUint32(16, at, true)
  return new Blob([...contents, ...list, end])
}
