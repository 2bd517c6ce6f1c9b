import DwellServer

@main
enum Main {
    static func main() async {
        await DwellCommand.start()
    }
}
