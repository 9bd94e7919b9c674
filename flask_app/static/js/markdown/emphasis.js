// @ts-check
/**
 * Emphasis beside Chinese. By CommonMark a closing ** after 。 and before a character does not close, because
 * such scripts set no spaces there; models write it all the time. A CJK neighbour therefore counts as a boundary.
 */

const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uffef\u2018-\u201d\u2026\u2014]/u

/** @param {import("markdown-it").MarkdownIt} md */
export function breakCjkEmphasis(md) {
  const Base = md.inline.State
  const { isWhiteSpace, isPunctChar, isMdAsciiPunct } = md.utils

  /** @param {string} character */
  const isPunctuation = (character) => isMdAsciiPunct(character.codePointAt(0) ?? 0) || isPunctChar(character)

  /** Whether the space or sign on one side lets a run of * or _ face the other. @param {string} near @param {string} far */
  const faces = (near, far) => {
    if (isWhiteSpace(near.codePointAt(0) ?? 0x20)) return false
    if (CJK.test(near) || !isPunctuation(near)) return true
    return isWhiteSpace(far.codePointAt(0) ?? 0x20) || isPunctuation(far) || CJK.test(far)
  }

  md.inline.State = class extends Base {
    /** @override @param {number} start @param {boolean} canSplitWord */
    scanDelims(start, canSplitWord) {
      const marker = this.src[start]
      let end = start
      while (end < this.posMax && this.src[end] === marker) end++
      const before = lastCharacter(this.src.slice(Math.max(0, start - 2), start)) || " "
      const after = String.fromCodePoint(this.src.codePointAt(end) ?? 0x20)
      const opens = faces(after, before)
      const closes = faces(before, after)
      return {
        can_open: opens && (canSplitWord || !closes || isPunctuation(before)),
        can_close: closes && (canSplitWord || !opens || isPunctuation(after)),
        length: end - start,
      }
    }
  }
}

/** @param {string} text */
function lastCharacter(text) {
  return [...text].at(-1) ?? ""
}
