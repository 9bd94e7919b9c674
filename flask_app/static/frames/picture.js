/** In a frame without an origin, a cookie or a connection: shows the one picture that the page names, and says how large it is. */
addEventListener("message", ({ data: { address, words }, source }) => {
  if (source !== parent) return
  const picture = new Image()
  const tell = (said) => parent.postMessage(said, "*")
  picture.referrerPolicy = "no-referrer"
  picture.alt = words
  picture.onload = () => tell({ width: picture.naturalWidth, height: picture.naturalHeight })
  picture.onerror = () => tell({ failed: true })
  picture.src = address
  document.body.replaceChildren(picture)
})
