/**
 * Milliseconds of processor time that some work takes; what a busy machine keeps it waiting is not its own.
 * @param {() => void} work
 */
export function spent(work) {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
