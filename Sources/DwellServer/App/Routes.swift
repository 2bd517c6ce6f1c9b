internal import FoundationEssentials
import Hummingbird
import Logging

/// Every route there is.
///
/// | path | methods | in |
/// |---|---|---|
/// | `/` and all files | GET | `Gate/Site.swift`, when a site folder is set |
/// | `/gate`, `/gate/code`, `/gate/check` | GET | `Gate/GateRoutes.swift` |
/// | `/api/verify-temp-access`, `/api/verify-temp-access/code` | POST | `Gate/GateRoutes.swift` |
/// | `/api/session-heartbeat` | POST | `Attention/HeartbeatLane.swift`, and the rare in `Attention/HeartbeatRoutes.swift` |
/// | `/api/viewing/take` | POST | `Viewing/ViewingRoutes.swift` |
/// | `/auth/register`, `/auth/login`, `/auth/logout` | POST, logout also GET | `Accounts/AccountRoutes.swift` |
/// | `/devices/replace` | POST | `Accounts/AccountRoutes.swift` |
/// | `/auth/password`, `/auth/password/forgot`, `/auth/password/reset` | POST, the last two also GET | `Accounts/PasswordRoutes.swift` |
/// | `/auth/email/send`, `/auth/email/verify` | POST, the second also GET | `Accounts/VerificationRoutes.swift` |
/// | `/devices/list`, `/devices/remove/{id}` | GET; DELETE, POST | `Devices/DeviceRoutes.swift` |
/// | `/devices/rename/{id}` | PATCH, POST | `Devices/DeviceRoutes.swift` |
/// | `/session/init`, `/session/log` | GET, POST | `Attention/WatchTimeRoutes.swift` |
/// | `/cronjob/trigger` | GET, POST | `Statistics/CronRoutes.swift` |
/// | `/api/v1/sessions`, `/api/v1/sessions/{id}`, `/api/v1/live`, `/api/v1/contents`, `/api/v1/overview` | GET | `Reports/ReportRoutes.swift` |
/// | `/api/v1/viewers`, `/api/v1/viewers/{id}`, `/api/v1/viewers/{id}/days`, `/api/v1/viewers/{id}/timeline` | GET | `Viewers/ViewerRoutes.swift` |
/// | `/api/v1/videos`, `/api/v1/videos/{id}` | GET | `Audience/VideoRoutes.swift` |
/// | `/api/v1/videos/{id}/viewers`, `/api/v1/videos/{id}/live`, `/api/v1/videos/{id}/progress` | GET | `Audience/VideoRoutes.swift` |
/// | `/api/v1/export/{kind}` | GET | `Reports/ExportRoutes.swift` |
/// | `/api/v1/devices`, `/api/v1/gates`, `/api/v1/gates/{name}/visitors`, `/api/v1/audit`, `/api/v1/settings`, `/api/v1/operators`, `/api/v1/keys` | GET | `API/InstallationRoutes.swift` |
/// | `/api/v1/openapi.json`, `/api/v1/docs`, `/api/v1/docs/style.css` | GET | `API/OpenAPIRoutes.swift` |
/// | `/api/v1/viewers/{id}`, `/api/v1/viewers/{id}/exclusion` | DELETE; PUT, DELETE | `Rights/RightsRoutes.swift` |
/// | `/api/v1/viewers/{id}/archive`, `/api/v1/exclusions`, `/api/v1/erasures`, `/api/v1/erasures/{id}` | GET | `Rights/RightsRoutes.swift` |
/// | `/api/v1/webhooks`, `/api/v1/webhooks/{id}` | GET, POST; DELETE | `Webhooks/WebhookRoutes.swift` |
/// | `/api/v1/webhooks/{id}/deliveries`, `/api/v1/webhooks/deliveries/{id}/replay` | GET; POST | `Webhooks/WebhookRoutes.swift` |
/// | `/dashboard`, `/dashboard/overview`, `/dashboard/sessions`, `/dashboard/sessions/{id}`, `/dashboard/people`, `/dashboard/person`, `/dashboard/gates`, `/dashboard/gate`, `/dashboard/videos`, `/dashboard/video`, `/dashboard/devices`, `/dashboard/audit`, `/dashboard/settings`, `/dashboard/live` | GET | `Dashboard/DashboardRoutes.swift`, `…+Now.swift` and so on |
/// | `/dashboard/sign-in`, `/dashboard/setup`, `/dashboard/sign-out` | POST, the first two also GET | `Dashboard/DashboardRoutes.swift`, `…+Now.swift` and so on |
/// | `/dashboard/person/export`, `/dashboard/person/erase`, `/dashboard/person/exclude`, `/dashboard/person/include` | POST | `Dashboard/PersonForms.swift` |
/// | `/dashboard/webhooks`, `/dashboard/webhooks/replay` | GET; POST | `Dashboard/WebhookPageRoutes.swift` |
/// | `/dashboard/**` | GET | `Dashboard/DashboardRoutes.swift`: what is not there |
/// | `/dashboard/gate/revoke`, `/dashboard/gate/admit` | POST | `Dashboard/DashboardRoutes+Gates.swift` |
/// | `/health/live`, `/health/ready` | GET | `App/HealthRoutes.swift` |
/// | `/dwell.js`, `/dwell-code.js`, `/dwell.d.ts`, `/dwell.css`, `/dashboard/style.css`, `/dashboard/live.js`, `/dashboard/setup.js`, `/dashboard/icon.svg` | GET | `App/AssetRoutes.swift` |
func buildRouter(_ parts: Parts) throws -> Router<DwellRequestContext> {
    let configuration = parts.configuration
    let cookies = CookieMaker(isSecure: configuration.isSecure)
    let gates = Gates(
        rules: configuration.gates, database: parts.database, announcements: parts.announcements,
        days: parts.settings.days, clock: parts.clock, secret: configuration.secretKey, codes: parts.codes)
    let tokens = parts.heartbeats.tokens
    let accounts = Accounts(
        database: parts.database, announcements: parts.announcements, hasher: parts.hasher, clock: parts.clock,
        devices: configuration.devices, codes: parts.codes, attempts: parts.attempts)
    let gateRoutes = GateRoutes(
        gates: gates, tokens: tokens, pages: parts.pages, cookies: cookies, attempts: parts.attempts)
    let passwordRoutes = PasswordRoutes(
        passwords: Passwords(
            database: parts.database, announcements: parts.announcements, hasher: parts.hasher, clock: parts.clock,
            outbox: parts.codes.outbox, attempts: parts.attempts),
        codes: parts.codes, logins: parts.logins, pages: parts.pages, cookies: cookies)
    let verificationRoutes = VerificationRoutes(
        verification: Verification(
            database: parts.database, codes: parts.codes, clock: parts.clock, attempts: parts.attempts),
        logins: parts.logins, pages: parts.pages, cookies: cookies)
    let reports = Reports(database: parts.database, days: parts.settings.days, clock: parts.clock)
    let keys = APIKeys(
        database: parts.database, clock: parts.clock,
        limits: APILimits(quota: configuration.apiRate, clock: parts.clock))
    let videos = Videos(database: parts.database)
    let videoRoutes = VideoRoutes(
        videos: videos, reports: reports, keys: keys, logins: parts.logins,
        interval: configuration.heartbeatInterval, attempts: parts.attempts)
    let viewers = Viewers(database: parts.database, days: parts.settings.days)
    let accountAdministration = AccountAdministration(database: parts.database, clock: parts.clock)
    let exclusions = Exclusions(database: parts.database, days: parts.settings.days, clock: parts.clock)
    let archives = PersonArchives(database: parts.database, days: parts.settings.days, clock: parts.clock)
    let dashboardRoutes = DashboardRoutes(
        database: parts.database, operators: parts.operators, code: SetupCode(secret: configuration.secretKey),
        reports: reports, viewers: viewers, videos: videos, devices: parts.devices, accounts: accountAdministration,
        exclusions: exclusions, erasures: parts.erasures,
        visitors: GateVisitors(database: parts.database, clock: parts.clock), pages: try DashboardPages(),
        cookies: cookies, days: parts.settings.days, clock: parts.clock, configuration: configuration,
        webhooks: parts.webhooks)
    let rightsRoutes = RightsRoutes(
        archives: archives, erasures: parts.erasures, exclusions: exclusions, keys: keys, attempts: parts.attempts)
    let webhookRoutes = WebhookRoutes(
        webhooks: parts.webhooks, keys: keys, attempts: parts.attempts, allowsHere: configuration.isLocal)
    let open = [
        gateRoutes.shown, passwordRoutes.shown, verificationRoutes.shown,
        ReportRoutes(
            reports: reports, keys: keys, days: parts.settings.days, clock: parts.clock,
            interval: configuration.heartbeatInterval, attempts: parts.attempts
        ).endpoints,
        ExportRoutes(
            exports: Exports(
                database: parts.database, days: parts.settings.days, clock: parts.clock,
                rightOfWay: parts.writer.rightOfWay), keys: keys, days: parts.settings.days, attempts: parts.attempts
        ).endpoints,
        ViewerRoutes(
            viewers: viewers, videos: videos, accounts: accountAdministration, keys: keys, attempts: parts.attempts
        ).endpoints,
        videoRoutes.endpoints,
        rightsRoutes.shown,
        InstallationRoutes(
            database: parts.database, devices: parts.devices, operators: parts.operators, keys: keys,
            configuration: configuration, clock: parts.clock, attempts: parts.attempts
        ).endpoints,
        try OpenAPIRoutes(address: configuration.address).endpoints,
        dashboardRoutes.shown,
        dashboardRoutes.webhooksShown,
        webhookRoutes.shown,
        HealthRoutes(database: parts.database).endpoints,
        AssetRoutes().endpoints,
    ]
    let heartbeatRoutes = HeartbeatRoutes(
        heartbeats: parts.heartbeats, logins: parts.logins, writer: parts.writer, cookies: cookies,
        metrics: parts.metrics)
    let guarded = [
        dashboardRoutes.endpoints,
        dashboardRoutes.webhookEndpoints,
        webhookRoutes.endpoints,
        rightsRoutes.endpoints,
        PersonForms(
            archives: archives, erasures: parts.erasures, exclusions: exclusions, operators: parts.operators
        ).endpoints,
        gateRoutes.endpoints,
        heartbeatRoutes.endpoints,
        ViewingRoutes(viewings: parts.viewings, beats: heartbeatRoutes).endpoints,
        AccountRoutes(
            accounts: accounts, devices: parts.devices, logins: parts.logins, rules: parts.rules, cookies: cookies,
            metrics: parts.metrics
        ).endpoints,
        DeviceRoutes(devices: parts.devices, logins: parts.logins).endpoints,
        passwordRoutes.endpoints,
        verificationRoutes.endpoints,
        WatchTimeRoutes(
            watchTime: WatchTime(
                database: parts.database, writer: parts.writer, settings: parts.settings, clock: parts.clock),
            logins: parts.logins, tokens: tokens, cookies: cookies
        ).endpoints,
        videoRoutes.own,
        CronRoutes(
            statistics: parts.statistics, accessKey: configuration.cronAccessKey, attempts: parts.attempts
        ).endpoints,
    ]
    // The error middleware must know every route before the router has any.
    let listing = Router(context: DwellRequestContext.self, options: .autoGenerateHeadEndpoints)
    for collection in open + guarded { listing.addRoutes(collection) }

    let router = Router(context: DwellRequestContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: SecurityHeadersMiddleware(isSecure: configuration.isSecure))
    router.add(middleware: AnswerFieldsMiddleware())
    router.add(middleware: ClientMiddleware(proxies: configuration.trustedProxies))
    router.add(middleware: CrossOriginMiddleware(origins: configuration.allowedOrigins))
    router.add(middleware: ErrorMiddleware(routes: RouteTable(listing.routes), pages: parts.pages))
    if let folder = configuration.site {
        let site = try Site(folder: folder, withheld: configuration.withheldFiles)
        router.add(middleware: GateMiddleware(site: site, gates: gates))
        router.add(middleware: RangeMiddleware())
        router.add(middleware: FileMiddleware(fileProvider: SiteFiles(site: site), searchForIndexHtml: true))
    }
    for collection in open { router.addRoutes(collection) }
    let own = router.group().add(
        middleware: CrossSiteMiddleware(ownOrigin: OwnOrigin(publicURL: configuration.publicURL)))
    for collection in guarded { own.addRoutes(collection) }
    return router
}

/// What answers heartbeats before they come to the router.
func buildLane(_ parts: Parts, logger: Logger) -> HeartbeatLane.Parts {
    let configuration = parts.configuration
    return HeartbeatLane.Parts(
        heartbeats: parts.heartbeats, logins: parts.logins, writer: parts.writer,
        bytes: HeartbeatBytes(
            cookies: CookieMaker(isSecure: configuration.isSecure),
            fields: SecurityHeadersMiddleware(isSecure: configuration.isSecure).fields),
        ownOrigin: OwnOrigin(publicURL: configuration.publicURL), allowedOrigins: Set(configuration.allowedOrigins),
        metrics: parts.metrics, logger: logger)
}
