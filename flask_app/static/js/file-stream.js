// @ts-check
/** What comes with a file that is made while it is sent. */

const NEWLINE = 10

/** What comes, as it is; `tell` hears after each piece how many lines have ended, and how many bytes have come. @param {(lines: number, bytes: number) => void} tell */
export function countingLines(tell) {
  let [lines, bytes] = [0, 0]
  return new TransformStream({
    /** @param {Uint8Array} piece @param {TransformStreamDefaultController} rest */
    transform(piece, rest) {
      for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1)) lines++
      tell(lines, (bytes += piece.length))
      rest.enqueue(piece)
    },
  })
}

const BEGINNING = [0x50, 0x4b, 3, 4] // of each file in a zip

/** The same of a zip: how many files in it have begun. Packed content looks like a beginning once in 4 GB. @param {(files: number, bytes: number) => void} tell */
export function countingFiles(tell) {
  let [files, bytes] = [0, 0]
  let matched = 0
  return new TransformStream({
    /** @param {Uint8Array} piece @param {TransformStreamDefaultController} rest */
    transform(piece, rest) {
      for (const byte of piece) {
        matched = byte === BEGINNING[matched] ? matched + 1 : Number(byte === BEGINNING[0])
        if (matched === BEGINNING.length) {
          matched = 0
          files++
        }
      }
      tell(files, (bytes += piece.length))
      rest.enqueue(piece)
    },
  })
}

/** The name that the server gives a file. @param {Headers} headers */
export function fileName(headers) {
  const [, encoded = ""] = /filename\*=UTF-8''([^;]+)/.exec(headers.get("Content-Disposition") ?? "") ?? []
  return decodeURIComponent(encoded)
}
