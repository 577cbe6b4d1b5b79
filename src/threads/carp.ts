console.log('carp');
