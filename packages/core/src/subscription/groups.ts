import type { ChannelRoute } from '../routing/channel-route.ts'
import type { SluiceError } from '../errors.ts'
import { Group, type GroupMember, type GroupOptions, type GroupServices } from './group.ts'

/** All groups. A group exists, and is on its routes, as long as it has a member. */
export class Groups {
  readonly #services: GroupServices
  readonly #byKey = new Map<string, Group>()
  readonly #all = new Set<Group>()

  constructor(services: GroupServices) {
    this.#services = services
  }

  /**
   * Makes the member one of the group of that key, founding it if there is none. Synchronous: the member gets
   * everything that is dispatched after this call.
   *
   * @param routes those of its channels; all members of a group have the same
   */
  join(
    key: string | undefined,
    member: GroupMember,
    routes: readonly ChannelRoute[],
    found: () => GroupOptions,
  ): Group {
    const group = (key === undefined ? undefined : this.#byKey.get(key)) ?? this.#found(found(), routes)
    const { userId } = member
    if (group.add(member) && userId !== undefined) for (const route of routes) route.addUser(userId, group)
    return group
  }

  /** Takes a member out of its group. */
  leave(group: Group, member: GroupMember): void {
    const { userId } = member
    if (group.remove(member) && userId !== undefined) for (const route of group.routes) route.removeUser(userId, group)
    if (group.size === 0) this.#dissolve(group)
  }

  /** Ends the groups that execute against another schema than this one. */
  endOtherSchemas(schema: object): void {
    for (const group of [...this.#all]) if (group.options.schema !== schema) group.end()
  }

  endAll(error?: SluiceError): void {
    for (const group of [...this.#all]) group.end(error)
  }

  #found(options: GroupOptions, routes: readonly ChannelRoute[]): Group {
    const group = new Group(options, routes, this.#services)
    if (options.key !== undefined) this.#byKey.set(options.key, group)
    this.#all.add(group)
    this.#services.counters.groupsActive += 1
    for (const route of routes) route.add(group)
    return group
  }

  #dissolve(group: Group): void {
    if (!this.#all.delete(group)) return
    const { key } = group.options
    if (key !== undefined && this.#byKey.get(key) === group) this.#byKey.delete(key)
    this.#services.counters.groupsActive -= 1
    for (const route of group.routes) route.remove(group)
  }
}
