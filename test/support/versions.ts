// test/support/versions.ts: what this Node can do, by its version.

/** Whether it is that release or a later one: one for each release line that got the thing, the newest last. */
export function runsSince(...releases: string[]): boolean {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
  return releases.some((release, i) => {
    const [wantedMajor, wantedMinor] = release.split('.').map(Number) as [number, number]
    const isLine = major === wantedMajor && minor >= wantedMinor
    return isLine || (i === releases.length - 1 && major > wantedMajor)
  })
}
