@main struct RoamkeyCommand { static func main() {} }
