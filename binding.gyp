# The addon. The C++ tests are not here: native/CMakeLists.txt builds those.
{
  'variables': { 'sanitize%': '' },
  'targets': [
    {
      'target_name': 'blkin',
      # Every room under native/ but those that only tests and models use.
      'sources': [
        '<!@(node -p "require(\'fs\').readdirSync(\'native\', { recursive: true }).filter(f => /[.]cc$/.test(f) && !/^(test|model)[/]/.test(f)).map(f => \'native/\' + f).sort().join(\' \')")',
      ],
      'include_dirs': ['native', '<!(node -p "require(\'node-addon-api\').include_dir")'],
      # SWALLOW: in a Worker that is being terminated every call fails and nothing can be thrown; without this
      # node-addon-api then throws through Node's own frames, which ends the process.
      'defines': [
        'NAPI_VERSION=9', 'NAPI_CPP_EXCEPTIONS', 'NODE_ADDON_API_DISABLE_DEPRECATED',
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      'cflags!': ['-fno-exceptions'],
      'cflags_cc!': ['-fno-exceptions', '-std=gnu++17'],
      'cflags': [
        '-Wall', '-Wextra', '-Wshadow',
        '-fvisibility=hidden',
        # Per-thread state at a fixed distance from the thread pointer, and no detour through the PLT:
        # both are on the path of every event.
        '-ftls-model=initial-exec', '-fno-plt',
      ],
      'cflags_cc': ['-std=gnu++20', '-fvisibility-inlines-hidden'],
      'ldflags': [
        # A Worker that was alone in loading the addon unloads it when it ends. The consumer's code must
        # outlive that dlclose.
        '-Wl,-z,nodelete',
        '-Wl,-z,relro,-z,now',
        '-Wl,--exclude-libs,ALL',
      ],
      'configurations': {
        # Node's own flags keep the frame pointer, which the hot call would push and pop for nobody.
        'Release': { 'cflags': ['-O3', '-fomit-frame-pointer'], 'cflags!': ['-O2', '-fno-omit-frame-pointer'] },
        'Debug': { 'cflags': ['-O0', '-g3'], 'defines': ['_GLIBCXX_ASSERTIONS'] },
      },
      'conditions': [
        ['sanitize!=""', {
          'cflags': ['-fsanitize=<(sanitize)', '-fno-omit-frame-pointer', '-g', '-O1'],
          'cflags!': ['-O3'],
          'ldflags': ['-fsanitize=<(sanitize)'],
        }],
      ],
    },
  ],
}
