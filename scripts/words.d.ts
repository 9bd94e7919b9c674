/** The sentences that modules say, by key, which flask_app/web/assets.py puts into app/i18n. */
declare const words: Record<string, string>
export default words
