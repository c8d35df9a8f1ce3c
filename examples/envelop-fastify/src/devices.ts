/** A device with a thermometer. Its id is unique within its tenant only. */
export interface Device {
  readonly tenantId: string
  readonly id: string
  readonly name: string
  readonly targetCelsius: number
}

/** Both tenants have a boiler. */
export const DEVICES: readonly Device[] = [
  { tenantId: 'acme', id: 'boiler', name: 'Acme boiler', targetCelsius: 61 },
  { tenantId: 'acme', id: 'freezer', name: 'Acme freezer', targetCelsius: -18 },
  { tenantId: 'globex', id: 'boiler', name: 'Globex boiler', targetCelsius: 58 },
]

/** What a device measured, as it travels in events. */
export interface Reading {
  readonly deviceId: string
  readonly celsius: number
}
