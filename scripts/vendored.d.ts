/** What static/js uses of the vendored files that bring no types of their own. */
declare module "highlight.js" {
  const hljs: {
    getLanguage(name: string): { name?: string } | undefined
    highlight(code: string, options: { language: string; ignoreIllegals?: boolean }): { value: string }
  }
  export default hljs
}
