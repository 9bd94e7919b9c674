// @ts-check
/** A file that no memory should hold: it goes to the browser's own disk as it comes, is given away from there, and removed. */

const FOLDER = "downloads"
const CONTENT = "content"
const BEGUN = "downloads-begun" // something may have been left there: app/usage/records looks, and whoever begins another
const GIVEN = "downloads-given/" // and its folder's name: when the browser was given it
const KEPT_SECONDS = 60 // browsers read what they were given a moment later,
const SLOWEST_BYTES = 10_000_000 // and copy at least so much of it in a second

/**
 * Each file has a folder, which is under a lock for as long as its page needs it: what is under none was left by a page that is gone, and
 * the browser may still copy it where it was given away.
 */
class DiskFile {
  #name
  #content
  #free

  /** @param {string} name of its folder @param {FileSystemFileHandle} content @param {() => void} free */
  constructor(name, content, free) {
    this.#name = name
    this.#content = content
    this.#free = free
  }

  /** All that comes; throws where it breaks off or the disk is full. @param {ReadableStream} stream */
  async fill(stream) {
    await stream.pipeTo(await this.#content.createWritable())
    return this.#content.getFile()
  }

  /** Notes, for pages to come, that the browser has it from now on; says how long it may need it. @param {Blob} file */
  given(file) {
    localStorage.setItem(GIVEN + this.#name, String(Date.now()))
    return millisecondsFor(file)
  }

  async remove() {
    await remove(this.#name).catch(console.warn) // the next visit tries again
    this.#free()
  }
}

/** Null where the browser has no disk for pages: over plain http, in some private windows, in old browsers. @returns {Promise<DiskFile | null>} */
export async function newDiskFile() {
  if (!("createWritable" in (globalThis.FileSystemFileHandle?.prototype ?? {}))) return null
  if (localStorage.getItem(BEGUN)) removeLeftovers().catch(console.warn)
  const name = crypto.randomUUID()
  let free = () => {}
  try {
    const folder = await downloads()
    free = await held(name)
    const own = await folder.getDirectoryHandle(name, { create: true })
    localStorage.setItem(BEGUN, "true")
    return new DiskFile(name, await own.getFileHandle(CONTENT, { create: true }), free)
  } catch (error) {
    free()
    console.warn(error)
    return null
  }
}

/** What pages left that were closed meanwhile, but for what the browser may still copy. */
export async function removeLeftovers() {
  localStorage.removeItem(BEGUN) // whoever begins one from here on says so again
  for await (const name of (await downloads()).keys()) {
    const isOver = await navigator.locks.request(lockOf(name), { ifAvailable: true }, async (lock) => lock && !(await isNeeded(name)) && (await isRemoved(name)))
    if (!isOver) localStorage.setItem(BEGUN, "true")
  }
}

/** Holds a lock until what this gives is called. @param {string} name @returns {Promise<() => void>} */
function held(name) {
  return new Promise((resolve, reject) => {
    navigator.locks.request(lockOf(name), () => new Promise((free) => resolve(() => free(undefined)))).catch(reject)
  })
}

/** @param {string} name */
const lockOf = (name) => `${FOLDER}/${name}`

/** @param {Blob} file */
const millisecondsFor = ({ size }) => (KEPT_SECONDS + size / SLOWEST_BYTES) * 1000

/** Was it given away so lately that the browser may still copy it? A clock that was put back since ends that. @param {string} name */
async function isNeeded(name) {
  const since = Date.now() - Number(localStorage.getItem(GIVEN + name) ?? NaN)
  if (!(since >= 0)) return false
  try {
    const folder = await (await downloads()).getDirectoryHandle(name)
    return since < millisecondsFor(await (await folder.getFileHandle(CONTENT)).getFile())
  } catch {
    return false // it is not there
  }
}

/** @param {string} name */
const isRemoved = (name) => remove(name).then(() => true, () => false)

/** @param {string} name */
async function remove(name) {
  await (await downloads()).removeEntry(name, { recursive: true })
  localStorage.removeItem(GIVEN + name)
}

const downloads = async () => (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true })
