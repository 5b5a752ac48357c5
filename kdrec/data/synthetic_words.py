"""The words of the generated catalogue: categories with their group and kinds of item, and styles."""

STYLES = (
    "Classic",
    "Compact",
    "Rugged",
    "Vintage",
    "Minimal",
    "Colourful",
    "Handmade",
    "Smart",
    "Lightweight",
    "Deluxe",
)

CATEGORIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "Coffee": (
        "kitchen",
        ("Coffee Grinder", "Coffee Kettle", "Espresso Cup", "Moka Pot", "Milk Frother", "Drip Scale"),
    ),
    "Baking": (
        "kitchen",
        ("Bread Tin", "Rolling Pin", "Dough Scraper", "Cake Stand", "Cookie Cutter", "Proofing Basket"),
    ),
    "Tea": ("kitchen", ("Teapot", "Tea Caddy", "Tea Strainer", "Matcha Whisk", "Tea Tray", "Tea Cosy")),
    "Camping": ("outdoor", ("Tent", "Sleeping Bag", "Camp Stove", "Camp Lantern", "Camp Chair", "Water Filter")),
    "Hiking": ("outdoor", ("Hiking Boots", "Hiking Backpack", "Trekking Poles", "Rain Jacket", "Trail Map", "Gaiters")),
    "Cycling": ("outdoor", ("Bike Helmet", "Bike Lamp", "Pannier Bag", "Bike Pump", "Cycling Jersey", "Bike Lock")),
    "Climbing": ("outdoor", ("Climbing Rope", "Harness", "Chalk Bag", "Carabiner", "Climbing Shoes", "Belay Device")),
    "Running": ("sport", ("Running Shoes", "Running Belt", "Running Cap", "Race Vest", "Foam Roller", "Stopwatch")),
    "Yoga": ("sport", ("Yoga Mat", "Yoga Block", "Yoga Strap", "Bolster", "Meditation Bell", "Yoga Towel")),
    "Swimming": ("sport", ("Swim Goggles", "Swim Cap", "Kickboard", "Swim Fins", "Dry Bag", "Pull Buoy")),
    "Gardening": ("home", ("Watering Can", "Pruning Shears", "Seed Tray", "Garden Trowel", "Plant Pot", "Compost Bin")),
    "Lighting": ("home", ("Desk Lamp", "Floor Lamp", "String Lights", "Night Light", "Ceiling Lamp", "Candle Holder")),
    "Pets": ("home", ("Dog Bed", "Cat Tree", "Pet Bowl", "Dog Lead", "Cat Tunnel", "Pet Brush")),
    "Board Games": ("play", ("Strategy Game", "Party Game", "Card Game", "Dice Set", "Chess Set", "Puzzle")),
    "Model Trains": (
        "play",
        ("Locomotive", "Rail Track", "Model Station", "Freight Wagon", "Signal Box", "Model Tunnel"),
    ),
    "Painting": ("arts", ("Paint Set", "Easel", "Brush Set", "Sketchbook", "Palette", "Canvas")),
    "Knitting": (
        "arts",
        ("Knitting Needles", "Wool Skein", "Row Counter", "Knitting Bag", "Pattern Book", "Stitch Markers"),
    ),
    "Photography": ("arts", ("Camera", "Tripod", "Camera Bag", "Lens Filter", "Photo Album", "Flash")),
    "Music": ("arts", ("Acoustic Guitar", "Ukulele", "Guitar Stand", "Metronome", "Music Stand", "Harmonica")),
    "Audio": ("tech", ("Headphones", "Turntable", "Bookshelf Speaker", "Radio", "Amplifier", "Microphone")),
}
